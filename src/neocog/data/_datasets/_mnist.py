"""MNIST: handwritten digits."""

from __future__ import annotations

from neocog.data._datasets._idx import Arrays, load_idx

CLASS_NAMES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
BASE = "https://storage.googleapis.com/cvdf-datasets/mnist/"
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def load_data(path: str = "mnist.npz") -> tuple[Arrays, Arrays]:
    """Return 60000 training and 10000 test images of handwritten digits, 28×28, grey.

    Args:
        path: accepted as in Keras and not used: the four original files lie in a folder `mnist` below
            `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or `~/.neocog/datasets`, and are downloaded otherwise.

    Returns:
        ((x_train, y_train), (x_test, y_test)), uint8; x has shape (n, 28, 28), y (n,).

    Reference: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document
        recognition, 1998.
    """
    del path
    return load_idx("mnist", BASE, CHECKSUMS)
