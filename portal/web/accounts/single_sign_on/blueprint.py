"""The blueprint that the views of single sign-on hang on."""

from flask import Blueprint

bp = Blueprint("single_sign_on", __name__, url_prefix="/signon")
