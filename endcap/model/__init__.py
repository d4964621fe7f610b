"""Batch -> logits: item vectors, encoder, heads, losses, export. torch lives here and in train."""

from endcap.model.config import ModelConfig
from endcap.model.content import ItemFacts
from endcap.model.dimensions import part_table
from endcap.model.export import export_onnx
from endcap.model.items import ItemRows, look_up
from endcap.model.losses import (
    click_loss,
    count_loss,
    delay_loss,
    dwell_loss,
    next_loss,
    squared_loss,
    squared_time_loss,
)
from endcap.model.network import CandidateBatch, HistoryBatch, Network, QuestionBatch
from endcap.model.outputs import NUM_DELAY_BINS, NUM_DWELL_BINS, outputs_of
from endcap.model.plain import Answers
from endcap.model.profiles import NUM_PROFILE
from endcap.model.softmax import (
    full_loss,
    has_fast_half,
    log_p_and_rank,
    sampled_loss,
    target_shares,
)

__all__ = [
    "NUM_DELAY_BINS",
    "NUM_DWELL_BINS",
    "NUM_PROFILE",
    "Answers",
    "CandidateBatch",
    "HistoryBatch",
    "ItemFacts",
    "ItemRows",
    "ModelConfig",
    "Network",
    "QuestionBatch",
    "click_loss",
    "count_loss",
    "delay_loss",
    "dwell_loss",
    "export_onnx",
    "full_loss",
    "has_fast_half",
    "log_p_and_rank",
    "look_up",
    "next_loss",
    "outputs_of",
    "part_table",
    "sampled_loss",
    "squared_loss",
    "squared_time_loss",
    "target_shares",
]
