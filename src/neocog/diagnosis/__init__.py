"""Floor 7: what is wrong with data, before and after training."""

from neocog.diagnosis._duplicates import Duplicates, Pair, find_duplicates
from neocog.diagnosis._examine import Diagnosis, examine, look_at_all, plain_findings
from neocog.diagnosis._features import Features, choose_features, classical
from neocog.diagnosis._findings import SEVERITIES, Finding, Item, Samples, sorted_findings
from neocog.diagnosis._label_issues import LabelIssue, find_label_issues
from neocog.diagnosis._labels_check import Trust, label_findings
from neocog.diagnosis._look import Look, Looks, gather_looks, look_at_file, look_at_files, look_at_pixels

__all__ = [
    "SEVERITIES",
    "Diagnosis",
    "Duplicates",
    "Features",
    "Finding",
    "Item",
    "LabelIssue",
    "Look",
    "Looks",
    "Pair",
    "Samples",
    "Trust",
    "choose_features",
    "classical",
    "examine",
    "find_duplicates",
    "find_label_issues",
    "gather_looks",
    "label_findings",
    "look_at_all",
    "look_at_file",
    "look_at_files",
    "look_at_pixels",
    "plain_findings",
    "sorted_findings",
]
