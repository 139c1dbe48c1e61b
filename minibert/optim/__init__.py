"""The optimizer chapter: AdamW, its parameter groups, and the six learning-rate schedules.

Read in this order: `update.py` (the arithmetic), `adamw.py`, `adam_l2.py` (what AdamW is not), `fast_update.py`, `groups.py`,
`layerwise.py`, `schedules.py` (the formulas), `get_schedule.py`.
"""

from .adam_l2 import AdamL2
from .adamw import AdamW
from .get_schedule import (
    TYPE_TO_SCHEDULER_FUNCTION,
    SchedulerType,
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
    get_scheduler,
)
from .groups import no_decay_groups
from .layerwise import layerwise_groups

__all__ = [
    "TYPE_TO_SCHEDULER_FUNCTION",
    "AdamL2",
    "AdamW",
    "SchedulerType",
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_linear_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_scheduler",
    "layerwise_groups",
    "no_decay_groups",
]
