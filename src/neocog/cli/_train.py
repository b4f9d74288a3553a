"""`neocog train`."""

from __future__ import annotations

from typing import Annotated

import typer

from neocog.cli._arguments import (
    Every,
    GroupBy,
    Images,
    Json,
    Label,
    MaxRestarts,
    Pattern,
    Processes,
    Quiet,
    Task,
    Traceback,
    parse_batch_size,
)
from neocog.cli._guard import finish

EXAMPLES = """\
Examples:

\b
  neocog train digits                      real digits, no download, seconds
  neocog train photos                      photos/cat/*.jpg, photos/dog/*.jpg, …
  neocog train photos --epochs 20 --seed 1 --out runs/second
  neocog train photos --model cnn --image-size 96
  neocog train photos --model mobilenet --weights auto       a new head on a pretrained network
  neocog train photos/labels.csv           file,label; or labels, numbers, split, patient, …
  neocog train photos --pattern "{label}_{n}.jpg"

\b
Models: mlp, lenet, small-cnn (images up to 64 pixels), cnn (quick), small-resnet (photographs);
published ones with --weights or from scratch: mobilenet, mobilenet_v2, resnet18, resnet50, vgg16, …
Ctrl-C ends the training; what was learned so far is measured and kept. A run that was stopped in any way
goes on by `neocog resume RUN`, to the same bits; in a job script, --resume begins or goes on.
"""


def train(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            help="A folder of images (one folder a class, parts, or cat_1.jpg), a manifest (CSV, TSV, JSON "
            "lines, Parquet), or a data set: digits, mnist, fashion_mnist, cifar10, cats_vs_dogs.",
            metavar="DATA",
        ),
    ],
    model: Annotated[str, typer.Option(help="auto goes by the size of the images; see below.")] = "auto",
    weights: Annotated[
        str | None,
        typer.Option(
            help="Pretrained: a file, imagenet, an address with its SHA-256, or auto (one at hand)."
        ),
    ] = None,
    finetune: Annotated[
        str, typer.Option(help="With --weights: auto, none, a number of top blocks, or a block or layer.")
    ] = "auto",
    image_size: Annotated[
        str | None, typer.Option(help="96, or 96x128 (height x width). Default: by the images.")
    ] = None,
    color: Annotated[str, typer.Option(help="auto, rgb or grayscale.")] = "auto",
    epochs: Annotated[int | None, typer.Option(help="At most so many. Default: by the data.")] = None,
    batch_size: Annotated[
        str | None, typer.Option(help="Images a step, or auto: what fits and pays. Default: by the data.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest rate. Default: the recipe's.")] = None,
    augment: Annotated[
        str, typer.Option(help="auto, none, light, mirror, photo, notes, randaugment, mixup or cutmix.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation; the split stays.")] = 0,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    out: Annotated[str | None, typer.Option(help="Folder of the run. Default: runs/<data>-<n>.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at broken images.")] = False,
    task: Task = "auto",
    label: Label = None,
    pattern: Pattern = None,
    images: Images = None,
    group_by: GroupBy = None,
    leaks: Annotated[
        str, typer.Option(help="Copies of an image in two given parts: keep, or move into one for this run.")
    ] = "keep",
    split: Annotated[
        str | None, typer.Option(help="A run, or its split.csv, whose parts are taken again, by content.")
    ] = None,
    width: Annotated[float | None, typer.Option(help="Factor on the filters of a built-in network.")] = None,
    depth: Annotated[int | None, typer.Option(help="Blocks of a built-in network.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share dropped before the head.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW. Default: the recipe's.")] = None,
    augment_strength: Annotated[
        float | None, typer.Option(help="Factor on shifts, turns and zooms; 0 leaves flips.")
    ] = None,
    head_rate: Annotated[
        float | None, typer.Option(help="With --weights: rate of the head alone. Default: by the features.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, or the newest of these data.")
    ] = False,
    every: Every = None,
    no_snapshots: Annotated[
        bool, typer.Option("--no-snapshots", help="Keep none: a stopped run starts anew.")
    ] = False,
    processes: Processes = None,
    max_restarts: MaxRestarts = 3,
    as_json: Json = False,
    quiet: Quiet = False,
    traceback: Traceback = False,
) -> None:
    """Make a classifier from images: split, train, test, and leave a run with a report."""

    def work() -> int:
        from neocog.cli._training import Form, config_of, given_options, trained

        often = None if no_snapshots else every or "5min"
        config = config_of(context, batch_size=parse_batch_size(batch_size), every=often)
        given = given_options(context, config) if resume else None
        form = Form(processes=processes, max_restarts=max_restarts, as_json=as_json, quiet=quiet)
        return trained(config, given, form)

    finish(work, traceback)
