"""The check of signatures in plain Python: it takes what RFC 8032 and a known library sign, and nothing else."""

from __future__ import annotations

import hashlib
import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from projections.bundle import verify_bundle
from projections.bundle.verify_bundle import ed25519_verify
from tests.tiers import many

ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19

RFC_8032 = {
    "no message": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "one byte": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "two bytes": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "1023 bytes": (
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355f6c50544"
        "e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc6ea534e0810a4432"
        "826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82d522c4feba15"
        "452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e06203b33890cc9b832f79ef80560ccb9a39ce767967ed628"
        "c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83"
        "f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70e"
        "b6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf"
        "2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089b"
        "eccf80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128bab27af87a7131"
        "4f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2"
        "af58429ec96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e"
        "43f1bca32301651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb"
        "3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a"
        "7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab47b57f7f7276c"
        "d419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc820e308a"
        "a342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5f"
        "b93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f1610e4eafe595f6"
        "d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380db2eaaa707b4c4185c32eddcd"
        "d306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0",
        "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350"
        "aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03",
    ),
    "SHA-512 of abc": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}
"""Section 7.1: public key, message, signature."""

TAKEN = tuple(bytes.fromhex(part) for part in RFC_8032["two bytes"])

SMALL_ORDER = {
    "order 1": "0100000000000000000000000000000000000000000000000000000000000000",
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order 4, odd": "0000000000000000000000000000000000000000000000000000000000000080",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, odd": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8, other": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, other, odd": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
}


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "little") ^ 1 << bit).to_bytes(len(data), "little")


def library_takes(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("name", RFC_8032)
def test_it_takes_the_signatures_of_rfc_8032(name: str) -> None:
    public, message, signature = (bytes.fromhex(part) for part in RFC_8032[name])
    assert ed25519_verify(public, message, signature)
    assert not ed25519_verify(public, message + b"\0", signature)


def test_it_agrees_with_a_known_library_on_many_keys_and_messages() -> None:
    chance = random.Random(8032)
    for number in range(many(60, 400)):
        key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), chance.randbytes(1023 if number % 20 == 0 else number)
        signature = key.sign(message)
        assert ed25519_verify(public, message, signature)
        changed = flipped(signature, chance.randrange(512))
        assert ed25519_verify(public, message, changed) == library_takes(public, message, changed) == False  # noqa: E712


BITS = range(0, 512, many(5, 1))
"""Of a signature; before a release each of them, else of each byte some."""


def test_no_bit_of_a_signature_can_be_changed() -> None:
    public, message, signature = TAKEN
    assert [bit for bit in BITS if ed25519_verify(public, message, flipped(signature, bit))] == []


def test_no_bit_of_the_key_or_the_message_can_be_changed() -> None:
    public, message, signature = TAKEN
    assert [bit for bit in BITS if bit < 256 and ed25519_verify(flipped(public, bit), message, signature)] == []
    assert [bit for bit in range(16) if ed25519_verify(public, flipped(message, bit), signature)] == []


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_signature_has_one_form_only(times: int) -> None:
    """Adding the group's order to its second half would be another signature of the same."""
    public, message, signature = TAKEN
    s = int.from_bytes(signature[32:], "little") + times * ORDER
    assert not ed25519_verify(public, message, signature[:32] + s.to_bytes(32, "little"))


def signed_by_nobody(key: verify_bundle._Point, public: bytes, message: bytes) -> bytes | None:
    """What would pass for a signature under a key of small order: R = s*B - h*A with a chosen s."""
    for s in range(1, 40):
        for guess in range(8):  # of h * A there are at most eight
            h_key = verify_bundle._times(guess, verify_bundle._Point(-key.x % PRIME, key.y, 1, -key.t % PRIME))
            point = verify_bundle._encoded(verify_bundle._add(verify_bundle._times(s, verify_bundle._BASE), h_key))
            h = int.from_bytes(hashlib.sha512(point + public + message).digest(), "little") % ORDER
            if h % 8 == guess:
                return point + s.to_bytes(32, "little")
    return None


@pytest.mark.parametrize("name", SMALL_ORDER)
def test_a_key_of_small_order_signed_nothing(name: str) -> None:
    public = bytes.fromhex(SMALL_ORDER[name])
    key = verify_bundle._decoded(public)
    assert key is not None
    forged = signed_by_nobody(key, public, b"anything")
    assert forged is not None
    assert library_takes(public, b"anything", forged), "else this test would show nothing"
    assert not ed25519_verify(public, b"anything", forged)


@pytest.mark.parametrize(
    "number",
    [PRIME, PRIME + 1, 2**255 - 1, 1 | 1 << 255, (PRIME - 1) | 1 << 255],
    ids=["p", "p + 1", "all ones", "1 as odd", "-1 as odd"],
)
def test_a_point_is_written_in_one_way_only(number: int) -> None:
    assert verify_bundle._decoded(number.to_bytes(32, "little")) is None


def test_half_of_all_numbers_are_no_points() -> None:
    found = [verify_bundle._decoded(number.to_bytes(32, "little")) for number in range(2, 66)]
    assert 20 < sum(point is None for point in found) < 44
    for number, point in enumerate(found, start=2):
        assert point is None or verify_bundle._encoded(point) == number.to_bytes(32, "little")


def signed_by_five(public: bytes, message: bytes) -> bytes:
    """A signature by the secret number 5 that takes whatever is given for its public key."""
    point = verify_bundle._encoded(verify_bundle._times(7, verify_bundle._BASE))
    h = int.from_bytes(hashlib.sha512(point + public + message).digest(), "little")
    return point + ((7 + 5 * h) % ORDER).to_bytes(32, "little")


def test_a_key_with_a_byte_more_is_no_key() -> None:
    public = verify_bundle._encoded(verify_bundle._times(5, verify_bundle._BASE))
    assert ed25519_verify(public, b"x", signed_by_five(public, b"x"))
    assert library_takes(public, b"x", signed_by_five(public, b"x"))
    assert not ed25519_verify(public + b"\0", b"x", signed_by_five(public + b"\0", b"x"))


def test_lengths_are_what_they_must_be() -> None:
    public, message, signature = TAKEN
    assert not ed25519_verify(public[:-1], message, signature)
    assert not ed25519_verify(public + b"\0", message, signature)
    assert not ed25519_verify(public, message, signature[:-1])
    assert not ed25519_verify(public, message, signature + b"\0")
    assert not ed25519_verify(b"", b"", b"")
