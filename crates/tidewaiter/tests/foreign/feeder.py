"""A log that is not ours and feeds a witness of ours, on the packages `aics-tlog` and `aics-witness`.

    feeder.py key               prints the log's verifier key
    feeder.py feed URL VKEY     feeds the witness at URL that signs with VKEY, and prints a line for every answer
"""

import sys

from aics_tlog.checkpoint import Checkpoint, sign_checkpoint
from aics_tlog.note import format_vkey, parse_note, parse_vkey, vkey_from_ed25519
from aics_tlog.tree import MerkleTree
from aics_witness.feeder import WitnessAhead, WitnessClient, WitnessRejected, merge_cosignatures
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "feeder.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = vkey_from_ed25519(ORIGIN, KEY.public_key())


def signed(tree: MerkleTree, size: int) -> bytes:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=tree.root(size))
    return sign_checkpoint(checkpoint, KEY, ORIGIN).to_bytes()


def told(client: WitnessClient, tree: MerkleTree, size: int) -> str:
    """What the witness makes of a checkpoint of this size."""
    note = signed(tree, size)
    try:
        lines = client.submit(note, tree.consistency_proof)
    except WitnessAhead as ahead:
        return f"{size}: stands at {ahead.known_size}"
    except WitnessRejected as rejected:
        return f"{size}: refused with {rejected.status}"
    signatures = len(parse_note(merge_cosignatures(note, lines)).signatures)
    return f"{size}: cosigned, {signatures} signatures"


def feed(url: str, vkey: str) -> None:
    tree = MerkleTree(b"event %d" % number for number in range(3_000))
    with WitnessClient(url, parse_vkey(vkey)) as client:
        for size in (1, 2, 700, 700, 2_999):
            print(told(client, tree, size))
    # Without a memory of its own it learns from the answer where the witness stands.
    with WitnessClient(url, parse_vkey(vkey)) as client:
        print(told(client, tree, 3_000))
    with WitnessClient(url, parse_vkey(vkey)) as client:
        print(told(client, tree, 700))
    rewritten = MerkleTree(b"event %d" % (number if number != 1_500 else 0) for number in range(3_200))
    with WitnessClient(url, parse_vkey(vkey)) as client:
        print(told(client, rewritten, 3_200))
        print(told(client, rewritten, 3_000))


if sys.argv[1] == "key":
    print(format_vkey(VKEY))
else:
    feed(sys.argv[2], sys.argv[3])
