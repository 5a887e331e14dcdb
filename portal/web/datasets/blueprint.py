"""The blueprint that the views of this area hang on, and the addresses they send people to."""

from flask import Blueprint, url_for

from portal.models import Dataset

bp = Blueprint("datasets", __name__)


def ref(dataset: Dataset) -> str:
    return dataset.accession or str(dataset.id)


def address(dataset: Dataset, anchor: str | None = None) -> str:
    """The page of a dataset's form."""
    return url_for("datasets.edit_page", ref=ref(dataset), _anchor=anchor)


def called(dataset: Dataset) -> str:
    """A dataset in a sentence."""
    return dataset.accession or (f"“{dataset.title}”" if dataset.title else "The draft")
