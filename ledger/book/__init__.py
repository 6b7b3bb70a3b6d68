"""The book: codes, payers' dated terms, providers and their agreements (rulebook section 3), checked on load."""

from ledger.book.claim_tables import Billing, Drug, Edi, Prescriber, Reason
from ledger.book.files import PACKAGED, BookError, check_book, load_book
from ledger.book.reference import Book, Edition, book_of_text
from ledger.book.tables import GENERAL, PER_DIEM, PER_DIEM_CODES, Agreement, Code, CodeTable, Payer, Provider, Terms

__all__ = [
    "GENERAL",
    "PACKAGED",
    "PER_DIEM",
    "PER_DIEM_CODES",
    "Agreement",
    "Billing",
    "Book",
    "BookError",
    "Code",
    "CodeTable",
    "Drug",
    "Edi",
    "Edition",
    "Payer",
    "Prescriber",
    "Provider",
    "Reason",
    "Terms",
    "book_of_text",
    "check_book",
    "load_book",
]
