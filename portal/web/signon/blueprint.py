"""The blueprint that the views of single sign-on hang on."""

from flask import Blueprint

bp = Blueprint("signon", __name__, url_prefix="/signon")
