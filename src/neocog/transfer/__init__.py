"""Floor 6½: use what a network has learned elsewhere. Cached features, a new head, fine-tuning of the top."""

from neocog.transfer._advice import Advice, advise, similarity
from neocog.transfer._blocks import Block, blocks, find_block
from neocog.transfer._features import extract_features
from neocog.transfer._finetune import FineTuned, finetune, prepared, tuned
from neocog.transfer._folding import fold_batch_norm
from neocog.transfer._graphs import boundaries, split_at
from neocog.transfer._heads import add_head
from neocog.transfer._phase import Phase, Settings
from neocog.transfer._steps import Transfer

__all__ = [
    "Advice",
    "Block",
    "FineTuned",
    "Phase",
    "Settings",
    "Transfer",
    "add_head",
    "advise",
    "blocks",
    "boundaries",
    "extract_features",
    "find_block",
    "finetune",
    "fold_batch_norm",
    "prepared",
    "similarity",
    "split_at",
    "tuned",
]
