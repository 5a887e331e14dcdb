"""The blueprint that the views of a dataset's files hang on."""

from flask import Blueprint

bp = Blueprint("files", __name__)
