"""A saved run of `GANLab` as one JSON text: the knobs, the curves, and every tensor that the next step depends on."""

import base64
import json
from io import BytesIO

import numpy as np
import torch

from ganlib.labs.scene import checked

FORMAT = "ganlib run 1"


def write(values, past, state) -> str:
    """The run as text; values and state are dicts, past is an array."""
    tensors = BytesIO()
    torch.save(state, tensors)
    return json.dumps({"format": FORMAT, "values": values, "past": past.tolist(), "state": base64.b64encode(tensors.getvalue()).decode()})


def read(text, knobs, columns):
    """(values, past, state) of a run; ValueError says what is wrong with the text or does not fit these knobs."""
    try:
        run = json.loads(text)
        if not isinstance(run, dict) or run.get("format") != FORMAT:
            raise ValueError(f"it is not of the format {FORMAT!r} that this lab reads")
        values = {c["key"]: checked(c, run["values"][c["key"]]) for c in knobs if "value" in c}
        state = torch.load(BytesIO(base64.b64decode(run["state"])), weights_only=True)
        return values, np.array(run["past"], float).reshape(-1, columns), state
    except json.JSONDecodeError:
        raise ValueError("it is cut short or not JSON") from None
    except KeyError as error:
        raise ValueError(f"it has no {error}") from None
    except (TypeError, RuntimeError, EOFError) as error:
        raise ValueError(f"its content is damaged ({type(error).__name__})") from None
