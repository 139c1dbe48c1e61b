"""The names that `import minibert` gives, and the files that they come from."""

from typing import TYPE_CHECKING

from .auto import (
    AutoConfig as AutoConfig,
    AutoModel as AutoModel,
    AutoModelForCausalLM as AutoModelForCausalLM,
    AutoModelForMaskedLM as AutoModelForMaskedLM,
    AutoModelForMultipleChoice as AutoModelForMultipleChoice,
    AutoModelForNextSentencePrediction as AutoModelForNextSentencePrediction,
    AutoModelForPreTraining as AutoModelForPreTraining,
    AutoModelForQuestionAnswering as AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification as AutoModelForSequenceClassification,
    AutoModelForTokenClassification as AutoModelForTokenClassification,
    AutoTokenizer as AutoTokenizer,
)
from .compat.beam_scorer import (
    BeamHypotheses as BeamHypotheses,
    BeamScorer as BeamScorer,
    BeamSearchScorer as BeamSearchScorer,
)
from .compat.methods import load_tf_weights_in_bert as load_tf_weights_in_bert
from .compat.names import (
    CONFIG_NAME as CONFIG_NAME,
    WEIGHTS_NAME as WEIGHTS_NAME,
    AutoModelWithLMHead as AutoModelWithLMHead,
    BaseModelOutput as BaseModelOutput,
    BaseModelOutputWithCrossAttentions as BaseModelOutputWithCrossAttentions,
    BaseModelOutputWithPast as BaseModelOutputWithPast,
    BaseModelOutputWithPooling as BaseModelOutputWithPooling,
    PretrainedConfig as PretrainedConfig,
    PreTrainedModel as PreTrainedModel,
    PreTrainedTokenizer as PreTrainedTokenizer,
    PreTrainedTokenizerBase as PreTrainedTokenizerBase,
    PreTrainedTokenizerFast as PreTrainedTokenizerFast,
    SpecialTokensMixin as SpecialTokensMixin,
    TensorType as TensorType,
    get_tokenizer_config as get_tokenizer_config,
    is_flax_available as is_flax_available,
    is_tf_available as is_tf_available,
    is_tokenizers_available as is_tokenizers_available,
    is_torch_available as is_torch_available,
    logging as logging,
    set_seed as set_seed,
)
from .compat.searches import (
    BeamSampleDecoderOnlyOutput as BeamSampleDecoderOnlyOutput,
    BeamSampleEncoderDecoderOutput as BeamSampleEncoderDecoderOutput,
    BeamSearchDecoderOnlyOutput as BeamSearchDecoderOnlyOutput,
    BeamSearchEncoderDecoderOutput as BeamSearchEncoderDecoderOutput,
    GreedySearchDecoderOnlyOutput as GreedySearchDecoderOnlyOutput,
    GreedySearchEncoderDecoderOutput as GreedySearchEncoderDecoderOutput,
    SampleDecoderOnlyOutput as SampleDecoderOnlyOutput,
    SampleEncoderDecoderOutput as SampleEncoderDecoderOutput,
)
from .compat.stopping import (
    MaxLengthCriteria as MaxLengthCriteria,
    MaxNewTokensCriteria as MaxNewTokensCriteria,
    MaxTimeCriteria as MaxTimeCriteria,
    StoppingCriteria as StoppingCriteria,
    StoppingCriteriaList as StoppingCriteriaList,
    validate_stopping_criteria as validate_stopping_criteria,
)
from .config import BertConfig as BertConfig
from .encoder_decoder import EncoderDecoderConfig as EncoderDecoderConfig, EncoderDecoderModel as EncoderDecoderModel
from .generation.processors import (
    EncoderNoRepeatNGramLogitsProcessor as EncoderNoRepeatNGramLogitsProcessor,
    ForcedBOSTokenLogitsProcessor as ForcedBOSTokenLogitsProcessor,
    ForcedEOSTokenLogitsProcessor as ForcedEOSTokenLogitsProcessor,
    HammingDiversityLogitsProcessor as HammingDiversityLogitsProcessor,
    InfNanRemoveLogitsProcessor as InfNanRemoveLogitsProcessor,
    LogitsProcessor as LogitsProcessor,
    LogitsProcessorList as LogitsProcessorList,
    LogitsWarper as LogitsWarper,
    MinLengthLogitsProcessor as MinLengthLogitsProcessor,
    NoBadWordsLogitsProcessor as NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor as NoRepeatNGramLogitsProcessor,
    PrefixConstrainedLogitsProcessor as PrefixConstrainedLogitsProcessor,
    RepetitionPenaltyLogitsProcessor as RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper as TemperatureLogitsWarper,
    TopKLogitsWarper as TopKLogitsWarper,
    TopPLogitsWarper as TopPLogitsWarper,
    top_k_top_p_filtering as top_k_top_p_filtering,
)
from .heads import (
    BertForMaskedLM as BertForMaskedLM,
    BertForMultipleChoice as BertForMultipleChoice,
    BertForNextSentencePrediction as BertForNextSentencePrediction,
    BertForPreTraining as BertForPreTraining,
    BertForQuestionAnswering as BertForQuestionAnswering,
    BertForSequenceClassification as BertForSequenceClassification,
    BertForTokenClassification as BertForTokenClassification,
    BertLMHeadModel as BertLMHeadModel,
)
from .heads.prediction import (
    BertLMPredictionHead as BertLMPredictionHead,
    BertOnlyMLMHead as BertOnlyMLMHead,
    BertOnlyNSPHead as BertOnlyNSPHead,
    BertPredictionHeadTransform as BertPredictionHeadTransform,
    BertPreTrainingHeads as BertPreTrainingHeads,
)
from .model import BertModel as BertModel, BertPreTrainedModel as BertPreTrainedModel
from .model.attention import (
    BertAttention as BertAttention,
    BertSelfAttention as BertSelfAttention,
    BertSelfOutput as BertSelfOutput,
)
from .model.embeddings import BertEmbeddings as BertEmbeddings
from .model.encoder import BertEncoder as BertEncoder
from .model.layer import BertIntermediate as BertIntermediate, BertLayer as BertLayer, BertOutput as BertOutput
from .model.pooler import BertPooler as BertPooler
from .optim import (
    TYPE_TO_SCHEDULER_FUNCTION as TYPE_TO_SCHEDULER_FUNCTION,
    AdamL2 as AdamL2,
    AdamW as AdamW,
    SchedulerType as SchedulerType,
    get_constant_schedule as get_constant_schedule,
    get_constant_schedule_with_warmup as get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup as get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup as get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup as get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup as get_polynomial_decay_schedule_with_warmup,
    get_scheduler as get_scheduler,
    no_decay_groups as no_decay_groups,
)
from .outputs import (
    BaseModelOutputWithPastAndCrossAttentions as BaseModelOutputWithPastAndCrossAttentions,
    BaseModelOutputWithPoolingAndCrossAttentions as BaseModelOutputWithPoolingAndCrossAttentions,
    BertForPreTrainingOutput as BertForPreTrainingOutput,
    CausalLMOutputWithCrossAttentions as CausalLMOutputWithCrossAttentions,
    MaskedLMOutput as MaskedLMOutput,
    ModelOutput as ModelOutput,
    MultipleChoiceModelOutput as MultipleChoiceModelOutput,
    NextSentencePredictorOutput as NextSentencePredictorOutput,
    QuestionAnsweringModelOutput as QuestionAnsweringModelOutput,
    Seq2SeqLMOutput as Seq2SeqLMOutput,
    SequenceClassifierOutput as SequenceClassifierOutput,
    TokenClassifierOutput as TokenClassifierOutput,
)
from .pipelines import (
    FeatureExtractionPipeline as FeatureExtractionPipeline,
    FillMaskPipeline as FillMaskPipeline,
    NerPipeline as NerPipeline,
    Pipeline as Pipeline,
    QuestionAnsweringPipeline as QuestionAnsweringPipeline,
    SentenceSimilarityPipeline as SentenceSimilarityPipeline,
    TextClassificationPipeline as TextClassificationPipeline,
    TokenClassificationPipeline as TokenClassificationPipeline,
    pipeline as pipeline,
)
from .tokenization import (
    AddedToken as AddedToken,
    BasicTokenizer as BasicTokenizer,
    BatchEncoding as BatchEncoding,
    BertTokenizer as BertTokenizer,
    BertTokenizerFast as BertTokenizerFast,
    CharSpan as CharSpan,
    PaddingStrategy as PaddingStrategy,
    TokenSpan as TokenSpan,
    TruncationStrategy as TruncationStrategy,
    WordpieceTokenizer as WordpieceTokenizer,
)
from .training.collators import (
    DataCollatorForLanguageModeling as DataCollatorForLanguageModeling,
    DataCollatorForTokenClassification as DataCollatorForTokenClassification,
    DataCollatorForWholeWordMask as DataCollatorForWholeWordMask,
    DataCollatorWithPadding as DataCollatorWithPadding,
    default_data_collator as default_data_collator,
)

# What the Auto classes make of a config.
CONFIG_MAPPING, TOKENIZER_MAPPING = AutoConfig.classes, AutoTokenizer.classes
MODEL_MAPPING, MODEL_WITH_LM_HEAD_MAPPING = AutoModel.classes, AutoModelWithLMHead.classes
MODEL_FOR_PRETRAINING_MAPPING = AutoModelForPreTraining.classes
MODEL_FOR_CAUSAL_LM_MAPPING = AutoModelForCausalLM.classes
MODEL_FOR_MASKED_LM_MAPPING = AutoModelForMaskedLM.classes
MODEL_FOR_MULTIPLE_CHOICE_MAPPING = AutoModelForMultipleChoice.classes
MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING = AutoModelForNextSentencePrediction.classes
MODEL_FOR_QUESTION_ANSWERING_MAPPING = AutoModelForQuestionAnswering.classes
MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING = AutoModelForSequenceClassification.classes
MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING = AutoModelForTokenClassification.classes

if not TYPE_CHECKING:  # type checkers and editors read the lists above
    __all__ = [name for name in globals() if not name.startswith("__") and name != "TYPE_CHECKING"]

    from .compat.attach import attach

    attach()
