#!/usr/bin/env python3
"""A second verifier of hydrant's audit log, written from the specifications and sharing no code
with hydrant: RFC 6962, RFC 8032, and C2SP's signed-note, tlog-checkpoint, tlog-tiles, tlog-proof.
Needs Python 3.11 and nothing else.

  audit_verify.py log DIR [--key FILE|KEY] [--kept FILE]...   an exported log
  audit_verify.py receipt FILE --key FILE|KEY                 a receipt
  audit_verify.py batch                                       one such case a line on stdin, as JSON

Prints what it found and ends with 0, or with 1 at the first fault.
"""

import argparse
import base64
import binascii
import hashlib
import json
import os
import sys
from functools import lru_cache


class Fault(Exception):
    """Why something is not what it should be."""


# ---- Ed25519 (RFC 8032) ----

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add_points(one, other):
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add_points(result, point)
        point = add_points(point, point)
        scalar >>= 1
    return result


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, (y & ((1 << 255) - 1)) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P:
        raise Fault("a public key is no point of the curve")
    if x & 1 != sign:
        x = (P - x) % P
    return x, y, 1, x * y % P


def compress(point):
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


@lru_cache(maxsize=100_000)
def signed(public, message, signature):
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % ORDER
    x, y, z, t = multiply(k, decompress(public))
    difference = add_points(multiply(s, BASE), ((P - x) % P, y, z, (P - t) % P))
    return compress(difference) == signature[:32]


# ---- texts ----


def from_base64(text):
    """Base 64 in its one canonical spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Fault(f"{text[:40]!r} is not base 64") from error
    if base64.b64encode(data).decode() != text:
        raise Fault(f"{text[:40]!r} is not canonical base 64")
    return data


def from_decimal(text):
    if not text.isascii() or not text.isdigit() or str(int(text)) != text or int(text) >= 2**64:
        raise Fault(f"{text[:40]!r} is no number")
    return int(text)


def is_name(text):
    blank = any(letter.isspace() or ord(letter) < 32 for letter in text)
    return 0 < len(text) <= 200 and "+" not in text and not blank


class VerifierKey:
    """`NAME+ID+KEY`, with ID from SHA-256 over the name and the key."""

    def __init__(self, text):
        parts = text.split("+", 2)
        if len(parts) != 3 or not is_name(parts[0]):
            raise Fault("this is no verifier key")
        self.text, self.name = text, parts[0]
        key = from_base64(parts[2])
        self.key_id = hashlib.sha256(self.name.encode() + b"\n" + key).digest()[:4]
        if self.key_id.hex() != parts[1] or len(key) != 33 or key[0] != 1:
            raise Fault("this is no verifier key of Ed25519")
        self.public = key[1:]
        decompress(self.public)

    def open(self, note):
        """The text of a signed note, if this key has signed it."""
        try:
            text = note.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Fault("a note is not text") from error
        if len(note) > 1_000_000 or any(ord(c) < 32 and c != "\n" for c in text):
            raise Fault("a note has control characters, or no end")
        body, blank, lines = text.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise Fault("a note has no signatures")
        body += "\n"
        found = None
        lines = lines[:-1].split("\n")
        for line in lines:
            mark, name, signature = (line.split(" ", 2) + ["", ""])[:3]
            data = from_base64(signature)
            if mark != "\u2014" or not name or "+" in name or len(data) < 5 or len(lines) > 100:
                raise Fault("a signature has not its form")
            if any(letter.isspace() for letter in name):
                raise Fault("a signature has not its form")
            if (name, data[:4]) == (self.name, self.key_id) and found is None:
                found = signed(self.public, body.encode(), data[4:])
                if not found:
                    raise Fault("a signature of the log does not fit")
        if not found:
            raise Fault("the log has not signed this")
        return body

    def head(self, note):
        """Size and root of a checkpoint."""
        lines = self.open(note).split("\n")
        if len(lines) < 4 or lines[-1] != "" or "" in lines[:-1] or lines[0] != self.name:
            raise Fault("what is signed is no head of this log")
        root = from_base64(lines[2])
        if len(root) != 32:
            raise Fault("what is signed is no head of this log")
        return from_decimal(lines[1]), root


# ---- the tree (RFC 6962) ----


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """All hashes of all complete subtrees, by their height."""

    def __init__(self, leaves):
        self.heights = [leaves]
        while len(self.heights[-1]) > 1:
            below = self.heights[-1]
            pairs = zip(below[0::2], below[1::2])
            self.heights.append([node_hash(left, right) for left, right in pairs])

    def root(self, size):
        """The root over the first `size` leaves."""
        if size == 0:
            return hashlib.sha256(b"").digest()
        return self._root(0, size)

    def _root(self, begin, size):
        height = size.bit_length() - 1
        if size == 1 << height:
            return self.heights[height][begin >> height]
        return node_hash(self._root(begin, 1 << height),
                         self._root(begin + (1 << height), size - (1 << height)))


def root_from_proof(index, size, leaf, proof):
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2)."""
    if index >= size:
        raise Fault("the entry lies behind the end of the log")
    place, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Fault("the proof is too long")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise Fault("the proof is too short")
    return root


# ---- an exported log ----


def number_path(number):
    elements = [f"{number % 1000:03}"]
    while number := number // 1000:
        elements.append(f"x{number % 1000:03}")
    return "/".join(reversed(elements))


def parse_number_path(path):
    digits = path.replace("x", "").replace("/", "")
    if not digits.isascii() or not digits.isdigit() or number_path(int(digits)) != path:
        raise Fault(f"{path} is no number's path")
    return int(digits)


class Log:
    """The files of a log."""

    def __init__(self, folder):
        self.folder = folder

    def read(self, name):
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                return file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise Fault(f"{name} is missing") from error

    def has(self, name):
        return os.path.isfile(os.path.join(self.folder, name))

    def below(self, top):
        for folder, folders, files in os.walk(os.path.join(self.folder, top)):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if not name.startswith("."):
                    yield os.path.relpath(os.path.join(folder, name), self.folder)


def split_bundle(data):
    entries = []
    while data:
        length = int.from_bytes(data[:2], "big")
        if len(data) < 2 + length:
            raise Fault("a bundle ends within an entry")
        entries.append(data[2:2 + length])
        data = data[2 + length:]
    return entries


def verify_log(folder, key=None, kept=()):
    log = Log(folder)
    if log.has("verifier-key"):
        try:
            beside = log.read("verifier-key").decode()
        except UnicodeDecodeError as error:
            raise Fault("verifier-key is no text") from error
        if not beside.endswith("\n"):
            raise Fault("verifier-key has no end")
        beside = VerifierKey(beside[:-1])
        if key and key.text != beside.text:
            raise Fault("verifier-key is another key")
        key = beside
    if key is None:
        raise Fault("there is no key")
    size, root = key.head(log.read("checkpoint"))

    entries = []
    for number in range(-(-size // 256)):
        width = min(256, size - 256 * number)
        suffix = f".p/{width}" if width < 256 else ""
        bundle = split_bundle(log.read(f"tile/entries/{number_path(number)}{suffix}"))
        if len(bundle) != width:
            raise Fault(f"bundle {number} has not {width} entries")
        entries += bundle
    tree = Tree([leaf_hash(entry) for entry in entries])
    if tree.root(size) != root:
        raise Fault("the checkpoint is over other entries")

    expected = set()
    for level in range(8):
        hashes = tree.heights[8 * level] if 8 * level < len(tree.heights) else []
        for first in range(0, len(hashes), 256):
            tile = hashes[first:first + 256]
            suffix = f".p/{len(tile)}" if len(tile) < 256 else ""
            name = f"tile/{level}/{number_path(first // 256)}{suffix}"
            expected.add(name)
            if log.read(name) != b"".join(tile):
                raise Fault(f"{name} does not have the hashes of the entries")
    for name in log.below("tile"):
        if name not in expected:
            verify_other_tile(log, name, entries, tree)

    checkpoints = {size}
    for name in log.below("checkpoints"):
        signed_size = parse_number_path(name.removeprefix("checkpoints/"))
        if key.head(log.read(name))[0] != signed_size:
            raise Fault(f"{name} is of another size")
        checkpoints.add(signed_size)
        verify_extends(name, key.head(log.read(name)), size, tree)
    for name, note in kept:
        checkpoints.add(key.head(note)[0])
        verify_extends(name, key.head(note), size, tree)
    return {"size": size, "root": base64.b64encode(root).decode(), "checkpoints": len(checkpoints)}


def verify_extends(name, head, size, tree):
    if head[0] > size:
        raise Fault(f"the log has {size} entries, and {name} knows of {head[0]}: it was cut")
    if tree.root(head[0]) != head[1]:
        raise Fault(f"the first {head[0]} entries are not those of {name}: they were changed")


def verify_other_tile(log, name, entries, tree):
    """Bundles, and partial tiles of smaller heads that were left lying."""
    stem, partial, width = name.partition(".p/")
    width = from_decimal(width) if partial else 256
    _, level, number = (stem.split("/", 2) + [""])[:3]
    number = parse_number_path(number)
    if level == "entries":
        hashes, is_bundle = entries, True
    elif level in ("0", "1", "2", "3", "4", "5", "6", "7"):
        height = 8 * int(level)
        hashes, is_bundle = tree.heights[height] if height < len(tree.heights) else [], False
    else:
        raise Fault(f"{name} is no tile")
    part = hashes[256 * number:256 * number + width]
    if not 0 < width <= 256 or (partial and width == 256) or len(part) != width:
        raise Fault(f"{name} is no tile of this log")
    if is_bundle:
        part = [len(entry).to_bytes(2, "big") + entry for entry in part]
    if log.read(name) != b"".join(part):
        raise Fault(f"{name} does not fit the entries")


# ---- a receipt ----

FIRST_LINE = "c2sp.org/tlog-proof@v1"


def verify_receipt(data, key):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault("a receipt is text") from error
    parts, lines = [], text.split("\n")
    if lines[0] != FIRST_LINE:
        raise Fault("this is no receipt")
    for line in lines:
        if line == FIRST_LINE:
            parts.append([])
        else:
            parts[-1].append(line)
    for number, part in enumerate(parts):
        if number < len(parts) - 1:
            part.append("")
    shown = {"delivery": None, "chunks": 0, "ids": 0, "released_chunks": 0}
    for part in parts:
        verify_proof(part, key, shown)
    return shown


def verify_proof(lines, key, shown):
    if "" not in lines or len(lines) < 3:
        raise Fault("a proof has not its form")
    end = lines.index("")
    if end < 2 or not lines[0].startswith("extra ") or not lines[1].startswith("index "):
        raise Fault("a proof has not its form")
    entry = from_base64(lines[0].removeprefix("extra "))
    index = from_decimal(lines[1].removeprefix("index "))
    proof = [from_base64(line) for line in lines[2:end]]
    if any(len(node) != 32 for node in proof):
        raise Fault("a proof has something that is no hash")
    size, root = key.head("\n".join(lines[end + 1:]).encode())
    if root_from_proof(index, size, leaf_hash(entry), proof) != root:
        raise Fault("a proof does not lead to its checkpoint")
    try:
        leaf = json.loads(entry)
        kind = leaf["leaf"]
        if kind not in ("opened", "released"):
            raise Fault("an entry is about no delivery")
        delivery = leaf["delivery"] if kind == "opened" else leaf["attempt"][0]
        shown["chunks"] += kind == "opened"
        shown["ids"] += leaf["ids"] if kind == "opened" else 0
        shown["released_chunks"] += kind == "released"
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Fault("an entry is no leaf about a delivery") from error
    if shown["delivery"] not in (None, delivery):
        raise Fault("an entry is about another delivery")
    shown["delivery"] = delivery


# ---- the command line ----


def key_of(said):
    if said is None:
        return None
    if os.path.isfile(said):
        with open(said, encoding="utf-8") as file:
            said = file.read().rstrip()
    return VerifierKey(said)


def notes_of(path):
    """The checkpoints in a file: it is one, or a receipt with one in each proof."""
    with open(path, "rb") as file:
        data = file.read()
    if not data.startswith(FIRST_LINE.encode()):
        return [(path, data)]
    proofs = data.split(FIRST_LINE.encode() + b"\n")[1:]
    return [(path, proof.partition(b"\n\n")[2]) for proof in proofs]


def run(case):
    key = key_of(case.get("key"))
    if "receipt" in case:
        with open(case["receipt"], "rb") as file:
            return verify_receipt(file.read(), key)
    kept = [note for path in case.get("kept", ()) for note in notes_of(path)]
    return verify_log(case["log"], key, kept)


def batch():
    for line in sys.stdin:
        try:
            print("ok", json.dumps(run(json.loads(line))))
        except Fault as fault:
            print("fault", fault)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    log = commands.add_parser("log")
    log.add_argument("log")
    log.add_argument("--key")
    log.add_argument("--kept", action="append", default=[])
    receipt = commands.add_parser("receipt")
    receipt.add_argument("receipt")
    receipt.add_argument("--key", required=True)
    commands.add_parser("batch")
    case = vars(parser.parse_args())
    if case["command"] == "batch":
        return batch()
    try:
        print(json.dumps(run(case), indent=2))
    except Fault as fault:
        sys.exit(f"fault: {fault}")
    return None


if __name__ == "__main__":
    main()
