"""The blueprint that the views of this area hang on."""

from flask import Blueprint

bp = Blueprint("review", __name__)
