"""The Merkle tree is RFC 6962's: roots and proofs agree with a slow plain model and with published vectors.

The proof of an entry is checked by two programs that share no code: ours, and the one that goes out with a bundle.
"""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.proof import merkle, seals
from ledger.proof.merkle import EMPTY_ROOT, Frontier, proofs_of, root_of
from projections.bundle import verify_bundle
from tests.tiers import many

Check = Callable[[int, int, bytes, Iterable[bytes]], bytes | None]

CHECKERS = pytest.mark.parametrize("check", [merkle.root_from_proof, verify_bundle.root_from_proof])

PUBLISHED_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
PUBLISHED_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The roots of the first 0 to 8 leaves, as Certificate Transparency's implementations test them."""

PUBLISHED_PROOF_OF_5_IN_8 = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaves(size: int) -> list[bytes]:
    return [sha256(b"\0" + number.to_bytes(4, "big")) for number in range(size)]


def split(size: int) -> int:
    """The largest power of two below a size."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def model_root(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return sha256(b"\1" + model_root(hashes[:k]) + model_root(hashes[k:]))


def model_proof(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if index < k:
        return [*model_proof(index, hashes[:k]), model_root(hashes[k:])]
    return [*model_proof(index - k, hashes[k:]), model_root(hashes[:k])]


def published() -> list[bytes]:
    return [sha256(b"\0" + leaf) for leaf in PUBLISHED_LEAVES]


def test_the_published_roots_come_out() -> None:
    assert [root_of(published()[:size]).hex() for size in range(9)] == PUBLISHED_ROOTS


def test_one_growing_tree_gives_the_published_roots_of_all_sizes() -> None:
    frontier, roots = Frontier(), []
    for leaf in published():
        roots.append(frontier.root().hex())
        frontier.add(leaf)
    assert [*roots, frontier.root().hex()] == PUBLISHED_ROOTS
    assert frontier.size == 8


def test_the_published_proof_comes_out() -> None:
    root, proofs = proofs_of(published(), [5])
    assert [step.hex() for step in proofs[5]] == PUBLISHED_PROOF_OF_5_IN_8
    assert root.hex() == PUBLISHED_ROOTS[8]


@pytest.mark.parametrize("size", range(71))
def test_roots_and_all_proofs_agree_with_the_plain_model(size: int) -> None:
    hashes = leaves(size)
    root, proofs = proofs_of(iter(hashes), range(size))
    assert root == root_of(iter(hashes)) == model_root(hashes)
    assert proofs == {index: model_proof(index, hashes) for index in range(size)}


@CHECKERS
@pytest.mark.parametrize("size", range(71))
def test_a_proof_leads_to_the_root_from_its_own_index_and_no_other(check: Check, size: int) -> None:
    hashes = leaves(size)
    root, proofs = proofs_of(hashes, range(size))
    for index, proof in proofs.items():
        led = [at for at in range(-1, size + 2) if check(at, size, hashes[index], proof) == root]
        assert led == [index]


@given(st.data())
@settings(max_examples=many(25, 60), deadline=None)
def test_larger_trees_agree_with_the_model_too(data: st.DataObject) -> None:
    size = data.draw(st.integers(71, 2100))
    wanted = data.draw(st.sets(st.integers(0, size - 1), max_size=5))
    hashes = leaves(size)
    root, proofs = proofs_of(iter(hashes), wanted)
    assert root == model_root(hashes)
    assert proofs == {index: model_proof(index, hashes) for index in wanted}
    for check in (merkle.root_from_proof, verify_bundle.root_from_proof):
        assert all(check(index, size, hashes[index], proof) == root for index, proof in proofs.items())


@CHECKERS
def test_a_proof_that_was_changed_does_not_lead_to_the_root(check: Check) -> None:
    hashes = leaves(13)
    root, proofs = proofs_of(hashes, range(13))
    for index, proof in proofs.items():
        leaf = hashes[index]
        assert check(index, 13, sha256(leaf), proof) not in (root, None)
        assert check(index, 13, leaf, proof[:-1]) is None
        assert check(index, 13, leaf, [*proof, root]) is None
        assert check(index, 13, leaf, proof[::-1]) != root
        for step in range(len(proof)):
            changed = [*proof[:step], sha256(proof[step]), *proof[step + 1 :]]
            assert check(index, 13, leaf, changed) not in (root, None)


@CHECKERS
def test_a_proof_of_another_shape_is_none_of_that_size(check: Check) -> None:
    hashes = leaves(8)
    proof = proofs_of(hashes, [3])[1][3]
    assert check(3, 16, hashes[3], proof) is None
    assert check(3, 4, hashes[3], proof) is None


@CHECKERS
def test_hashes_of_another_length_are_no_proof(check: Check) -> None:
    """Else a byte could move from one hash to its neighbour, and the pair would hash as before."""
    left, right = leaves(2)
    root = root_of([left, right])
    assert check(0, 2, left, [right]) == root
    assert check(0, 2, left + right[:1], [right[1:]]) is None
    assert check(0, 2, left, [right + b"\0"]) is None
    assert check(0, 2, left, [right[1:]]) is None
    assert check(0, 1, left[1:], []) is None
    assert check(0, 1, left + b"\0", []) is None


@CHECKERS
@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (-1, 0), (5, 3), (0, -1)])
def test_there_is_no_proof_outside_the_tree(check: Check, index: int, size: int) -> None:
    assert check(index, size, leaves(1)[0], []) is None


@CHECKERS
def test_the_only_leaf_is_its_own_root(check: Check) -> None:
    [leaf] = leaves(1)
    assert proofs_of([leaf], [0]) == (leaf, {0: []})
    assert check(0, 1, leaf, []) == leaf


def test_no_leaves_and_nothing_wanted_is_the_empty_root() -> None:
    assert proofs_of([], []) == (EMPTY_ROOT, {})


@pytest.mark.parametrize(("size", "wanted"), [(0, 0), (3, 3), (3, -1), (4, 9)])
def test_a_leaf_that_is_not_there_has_no_proof(size: int, wanted: int) -> None:
    with pytest.raises(ValueError, match=f"not among the {size}"):
        proofs_of(leaves(size), [wanted])


def test_the_leaves_are_not_held() -> None:
    def stream() -> Iterator[bytes]:
        return (sha256(b"\0" + number.to_bytes(4, "big")) for number in range(5_000))

    def peak_of(work: Callable[[], object]) -> int:
        """The least of three: what is made once only, or by others meanwhile, does not count."""
        peaks = []
        for _ in range(3):
            tracemalloc.start()
            try:
                work()
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
        return min(peaks)

    held = peak_of(lambda: list(stream()))
    assert peak_of(lambda: root_of(stream())) < held / 25
    assert peak_of(lambda: proofs_of(stream(), [0, 2_499, 4_999])) < held / 25


def test_both_programs_hash_alike() -> None:
    fields = (7, "EP-ä".encode(), 3, b"DayServed", b'{"nonce":"00"}')
    assert verify_bundle.leaf_of(*fields) == seals.leaf_of(*fields)
    assert verify_bundle.first_seal("5f" * 16) == seals.first_seal("5f" * 16)
    left, right = leaves(2)
    assert verify_bundle.node_of(left, right) == seals.node_of(left, right) == seals.seal_of(left, right)


@given(
    st.integers(0, 2**63 - 1), st.binary(max_size=40), st.integers(0, 2**63 - 1), st.binary(max_size=40), st.binary()
)
@settings(deadline=None)
def test_both_programs_hash_any_entry_alike(
    position: int, episode: bytes, version: int, tag: bytes, text: bytes
) -> None:
    ours = seals.leaf_of(position, episode, version, tag, text)
    assert verify_bundle.leaf_of(position, episode, version, tag, text) == ours


def test_the_hashes_are_what_they_are_said_to_be() -> None:
    """Written out, so that a third program can be held to it."""
    whole = b"i\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0"
    spelled = (
        b"\0"
        + whole
        + b"\x01"
        + b"t\0\0\0\0\0\0\0\x02EP"
        + whole
        + b"\x02"
        + b"t\0\0\0\0\0\0\0\x01X"
        + (b"t\0\0\0\0\0\0\0\x02{}")
    )
    assert verify_bundle.leaf_of(1, b"EP", 2, b"X", b"{}") == sha256(spelled)
    assert verify_bundle.first_seal("L1") == sha256(b"\0t\0\0\0\0\0\0\0\x02L1")
    assert verify_bundle.node_of(b"a", b"b") == sha256(b"\1ab")
