"""AWS::Serverless into CloudFormation, by AWS's own translator.

In the process that deploys, which has to wait for the engine anyway; CloudFormation's own transform
is the same library.
"""

from __future__ import annotations

import copy

from imagemill_engine.errors import DeployError
from imagemill_engine.shapes import Document
from imagemill_engine.translation_cache import translated_once

TRANSFORM = "AWS::Serverless-2016-10-31"


def translated(template: Document) -> Document:
    """The template without its transform. Raises DeployError."""
    if template.get("Transform") != TRANSFORM:
        return template
    return translated_once(template, _translated)


def _translated(template: Document) -> Document:
    # imported here, as it takes a fifth of a second
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.utils import py27hash_fix as hashes

    from imagemill_engine.boto_clients import session

    # the names of some resources are hashes, which Python 2 has settled for all time
    document = copy.deepcopy(template)
    hashes.to_py27_compatible_template(document, {})
    translator = Translator(None, Parser(), boto_session=session())
    try:
        done = translator.translate(document, {}, get_managed_policy_map=dict)
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise DeployError(f"The template is refused: {causes}") from error
    result: Document = hashes.undo_mark_unicode_str_in_template(done)
    return result
