"""What a figure says in words, for a reader who does not see it."""


def words(outputs: list[dict]) -> str:
    """The words for the pictures among the outputs of a notebook's cell, on one line.

    A lab's picture brings its own sentence. A drawn figure does not: there it is what else the cell
    says, since every figure of the course has its sentence printed below it.
    """
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        raise ValueError(f"outputs must be a list of a cell's outputs, got {outputs!r}")

    own = []
    printed = []
    for output in outputs:
        data = output.get("data", {})
        plain = data.get("text/plain", "")
        if plain.startswith("<Figure"):  # matplotlib's name of it, which tells nobody anything
            plain = ""
        if "image/png" in data:
            own.append(plain)
        printed += [output.get("text", ""), plain]

    said = own if any(own) else printed
    return " ".join(" ".join(said).split())
