from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    """Nesting deeper than Python's parser goes is the sender's mistake, not a fault here."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            raise ParseError("This JSON is nested too deeply.") from None
        except ParseError:
            # Without the parser's words, which are about Python and not about the body.
            raise ParseError("The body is not valid JSON in UTF-8.") from None
