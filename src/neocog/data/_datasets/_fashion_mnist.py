"""Fashion-MNIST: articles of clothing."""

from __future__ import annotations

from neocog.data._datasets._idx import Arrays, load_idx

CLASS_NAMES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
# The address that its authors publish speaks plain HTTP; the checksums make up for that.
BASE = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}


def load_data() -> tuple[Arrays, Arrays]:
    """Return 60000 training and 10000 test images of clothing, 28×28, grey, 10 classes.

    The four original files lie in a folder `fashion-mnist` below `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or
    `~/.neocog/datasets`, and are downloaded otherwise.

    Returns:
        ((x_train, y_train), (x_test, y_test)), uint8; x has shape (n, 28, 28), y (n,).

    Reference: H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv:1708.07747, 2017.
    """
    return load_idx("fashion-mnist", BASE, CHECKSUMS)
