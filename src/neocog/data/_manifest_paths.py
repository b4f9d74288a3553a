"""From the paths that a manifest names to files below one folder."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from neocog.data._image_files import SUFFIXES
from neocog.exceptions import DataError, message


class PathFinder:
    """Finds a manifest's files below `root`; nothing outside of it is ever opened.

    Tried in this order: the path as it stands, below the manifest's own folder (where that lies in `root`),
    with `/` for `\\`, with the other Unicode form of its letters (macOS writes Korean decomposed), and, for a
    name without a suffix, with the suffixes of images.

    Args:
        manifest: for error texts.
        root: the folder that all files lie in.
    """

    def __init__(self, manifest: Path, root: Path) -> None:
        self.manifest = manifest
        self.root = root
        self._base = os.path.abspath(root)
        inner = os.path.relpath(os.path.abspath(manifest.parent), self._base).replace(os.sep, "/")
        self._inner = "" if inner == "." or inner.startswith("..") else f"{inner}/"
        self._suffixes = list(SUFFIXES)
        self._listed: dict[str, dict[str, str]] = {}

    def find(self, written: str, line: int) -> tuple[str, str | None]:
        """Return the path below the root, and what is wrong with it or None.

        Raises:
            DataError: the path leaves the root.
        """
        text = written.strip()
        if "\0" in text or len(text) > 4096:
            return text[:80].replace("\0", "?"), "no file name"
        if re.match(r"[a-z][a-z0-9+]+://", text):
            return text, "an address, not a file"
        path = self._below(text, line)
        for candidate in self._candidates(path):
            try:
                if os.path.isfile(f"{self._base}/{candidate}"):
                    return candidate, None
            except ValueError:  # surrogates that the file system cannot write
                break
        return path, "a folder" if os.path.isdir(f"{self._base}/{path}") else "no such file"

    def _below(self, text: str, line: int) -> str:
        path = os.path.normpath(text)
        if os.path.isabs(path):
            path = os.path.relpath(path, self._base)
        path = path.replace(os.sep, "/")
        windows = path.replace("\\", "/")
        if ".." in (path.split("/")[0], os.path.normpath(windows).split("/")[0]) or re.match(
            r"[A-Za-z]:[\\/]", text
        ):
            expected = f"files below {self.root}"
            do = "Name the folder that holds all images with --images."
            where = f"{self.manifest}: line {line}"
            raise DataError(message(where, expected=expected, got=repr(text), do=do))
        return path

    def _candidates(self, path: str) -> list[str]:
        plain = [path, f"{self._inner}{path}"] if self._inner else [path]
        if os.path.isfile(f"{self._base}/{path}"):
            return [path]
        if "\\" in path:
            plain.append(os.path.normpath(path.replace("\\", "/")))
        if not path.isascii():
            plain += [found for item in plain if (found := self._by_letters(item)) is not None]
        if path.lower().endswith(SUFFIXES):
            return plain
        suffixed = [f"{item}{suffix}" for suffix in self._suffixes for item in plain]
        hit = next((item for item in suffixed if os.path.isfile(f"{self._base}/{item}")), None)
        if hit is not None:  # the next one is likely to have the same
            suffix = os.path.splitext(hit)[1]
            self._suffixes.sort(key=lambda known: known != suffix)
            return [hit]
        return plain

    def _by_letters(self, path: str) -> str | None:
        """Return the path on disk whose names have the same letters, whatever their Unicode form."""
        found = ""
        for name in path.split("/"):
            if found not in self._listed:
                try:
                    there = os.listdir(f"{self._base}/{found}")
                except OSError:
                    there = []
                self._listed[found] = {unicodedata.normalize("NFC", item): item for item in there}
            real = self._listed[found].get(unicodedata.normalize("NFC", name))
            if real is None:
                return None
            found = f"{found}/{real}" if found else real
        return found
