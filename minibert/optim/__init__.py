"""The optimizer (`adamw.py`), its groups of parameters (`groups.py`), six learning-rate schedules (`schedules.py`)."""

from .adamw import AdamL2 as AdamL2, AdamW as AdamW
from .groups import layerwise_groups as layerwise_groups, no_decay_groups as no_decay_groups
from .schedules import (
    TYPE_TO_SCHEDULER_FUNCTION as TYPE_TO_SCHEDULER_FUNCTION,
    SchedulerType as SchedulerType,
    get_constant_schedule as get_constant_schedule,
    get_constant_schedule_with_warmup as get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup as get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup as get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup as get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup as get_polynomial_decay_schedule_with_warmup,
    get_scheduler as get_scheduler,
)
