"""What a bundle says of itself to whoever opens it."""

from __future__ import annotations

from ledger.judge.steps import STEPS

_README = """\
A bundle of an episode ledger
=============================

This is what one provider's ledger holds of certain episodes of home infusion for pain: every fact and act that was
recorded of them, and which days follow from them as billable, and why. It holds patients' data: keep it as such.


How to check it
---------------

With Python 3.8 or later, and nothing else, in one command, on the zip itself:

    python3 verify_bundle.py FILE.zip --signer VKEY

or on the folder that the zip was unpacked to, which must hold nothing else:

    python3 verify_bundle.py FOLDER --signer VKEY

VKEY is the signer's public key, a line such as name+1a2b3c4d+AbC..., or a file that holds that line. Get it from the
sender by another way than this bundle: by telephone, from a contract, from an earlier year. A key that comes with what
it signs proves nothing. The same holds for verify_bundle.py: whoever could forge the bundle could also have changed
the copy inside. Take it from an earlier bundle, or ask the sender for its SHA-256. It is one file, written to be read.

It ends with 0 and PROVEN; or with 1 and REFUSED, with the reason; or with 2 where nothing can be said, such as without
the signer's key; or with 3 where the entries are proven, and the manifest is not signed, so that nobody vouches for
the rest.


What is proven
--------------

- Each entry in entries/ stood, to the letter and at its position, in the ledger whose root was signed in
  checkpoint.txt. Nothing can be changed in it, and it can belong to no other ledger.
- Of each episode no entry is missing from version 1 to the last version shown. Versions are counted in the signed
  entries themselves.
- The ledger had that many entries and that root when checkpoint.txt was signed.

What is not proven
------------------

- That there are no later entries of an episode. Nothing signed says how many an episode has. A bundle shows versions
  1 to n; later ones, if any, are not shown by it: they may lie after its checkpoint, after the instant given with
  "known_at" in manifest.json, or may have been left out together with the number in the manifest. Who needs to know
  asks for a bundle of today.
- That what was recorded is true. The proofs show what was told, by whom and when, and that it was not changed since.
- That the verdicts, the claim comparison, the report and the terms are right: they are stated. The sender's program
  derived them from these entries and these terms, and derives them anew at any time. Their hashes are in
  manifest.json, and manifest.note is the signer's signature over it: with it they are the signer's word, and nobody
  changed them on the way. Without it they are anybody's.
- The time in checkpoint.txt is the signer's own statement. A checkpoint that was made for this bundle bears the time
  of the ledger's last entry.


"""

_WHERE = f"""\
What is where
-------------

    manifest.json       the episodes by number, their versions, what the bundle was made from, each member's SHA-256
    manifest.sha256     the manifest's own SHA-256
    manifest.note       the manifest's SHA-256, signed by the key of the checkpoint
    checkpoint.txt      the ledger's size and Merkle root, signed
    entries/N.jsonl     the entries of episode number N, each with its proof
    verdicts/N.jsonl    its days: the verdict, the entries that decided it, each of the {len(STEPS)} steps
    claimed/N.jsonl     each claimed day beside what is known now
    papers/N.jsonl      its claims: the file each left in and its SHA-256, acknowledgements, remittances
    report/N.html       all of it to be read: open it in any browser
    book/               the codes, the payers' dated terms and the provider's agreements it was read against
    verify_bundle.py    the check

Where an entry of another episode of the patient decided a day, it is named by its position alone: its content is not
the receiver's business. The proofs hold hashes of other entries; each hash is made over 16 random bytes too, so that
nobody can guess data until a hash comes out.
"""


_ENCRYPTED = """\
How the entries of an encrypted ledger are proven
-------------------------------------------------

This ledger stores its entries encrypted. In entries/ "state" is what it stores of an entry, to the letter: an envelope
with the episode, version and type, the id of the key that opens it, the SHA-256 of the text in it ("content"), and that
text encrypted ("sealed"). The proof is that of the envelope. The field "content" beside "state" is the text itself; the
check makes its SHA-256, and refuses it unless that is the one on the proven envelope. So this text and no other is what
the ledger bound itself to when it recorded the entry. No key is in this bundle, and none is needed.

What nobody can check without the key is that "sealed" opens to the same text. Nothing above rests on it.


"""


def readme(*, encrypted: bool) -> bytes:
    """The member README.txt; that of an encrypted ledger also says how its entries are proven."""
    return (_README + (_ENCRYPTED if encrypted else "") + _WHERE).encode()
