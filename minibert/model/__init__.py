"""The network, bottom to top, one stage a file.

activations → embeddings → attention → layer → encoder → pooler → bert; base and pretrained hold what models share.
"""

from .bert import BertModel
from .pretrained import BertPreTrainedModel

__all__ = ["BertModel", "BertPreTrainedModel"]
