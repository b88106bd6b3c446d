"""Readers of the two quiz formats, written from their descriptions and not from our writers.

GIFT: https://docs.moodle.org/en/GIFT_format. QTI 2.1: the information model of IMS.
"""

import re
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

QTI = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
PACKAGE = "{http://www.imsglobal.org/xsd/imscp_v1p1}"


@dataclass
class Read:
    """A question as a reader found it; an answer is (text, is it right, what is said)."""

    key: str
    part: str
    text: str
    answers: list[tuple[str, bool, str]] = field(default_factory=list)


# -- GIFT ----------------------------------------------------------------------------------------


class Letters:
    """The letters of a text one after the other; an escaped one means nothing but itself."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def here(self):
        return self.text[self.at : self.at + 1]

    def take(self, word):
        """Go past this word, which must stand here."""
        found = self.text[self.at : self.at + len(word)]
        assert found == word, f"{word!r} was expected, not {self.text[self.at : self.at + 20]!r}"
        self.at += len(word)

    def until(self, stops):
        """The letters up to the first of the stops that is not escaped."""
        said = ""
        while self.here() and self.here() not in stops:
            if self.here() == "\\":
                self.at += 1
                letter = self.here()
                assert letter in set("\\~=#{}:n"), f"\\{letter} is no escape"
                said += "\n" if letter == "n" else letter
            else:
                said += self.here()
            self.at += 1
        return said


def gift_question(block, part):
    """One question: ::key::[html]text { =answer#said ~answer#said }."""
    letters = Letters(block)
    letters.take("::")
    key = letters.until(":")
    letters.take("::")
    letters.take("[html]")
    found = Read(key, part, letters.until("{~=#}").strip())
    letters.take("{")
    letters.until("=~")
    while letters.here() in ("=", "~"):
        right = letters.here() == "="
        letters.at += 1
        text = letters.until("=~#}").strip()
        assert not re.match(r"%-?\d", text), f"{text} would be read as a weight"
        said = ""
        if letters.here() == "#":
            letters.take("#")
            said = letters.until("=~#}").strip()
        found.answers.append((text.removeprefix("[html]"), right, said))
    letters.take("}")
    assert letters.until("").strip() == "", "nothing follows a question"
    return found


def read_gift(text):
    """All questions of a file: blocks between empty lines, without comments."""
    lines = [line for line in text.splitlines() if not line.startswith("//")]
    part, questions = "", []
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip()):
        if block.startswith("$CATEGORY:"):
            # A / in a name is written twice; the last name of the path is the part.
            path = block.removeprefix("$CATEGORY:").strip().replace("//", "\0")
            part = path.split("/")[-1].replace("\0", "/")
        else:
            questions.append(gift_question(block, part))
    return questions


# -- QTI -----------------------------------------------------------------------------------------

# What may stand in an item, and in which order (its sequence in the schema).
ITEM = [
    "responseDeclaration",
    "outcomeDeclaration",
    "templateDeclaration",
    "templateProcessing",
    "stylesheet",
    "itemBody",
    "responseProcessing",
    "modalFeedback",
]
FLOW = {"p", "span", "em", "strong", "code", "sub", "sup"}


def inner(element):
    """What is in an element, as HTML."""
    for each in element.iter():
        each.tag = each.tag.removeprefix(QTI)
        assert each is element or each.tag in FLOW, f"<{each.tag}> is not allowed here"
    whole = ET.tostring(element, encoding="unicode", short_empty_elements=False)
    return re.sub(r"^<[^>]*>|</[^>]*>$", "", whole.strip()).strip()


def play(item, chosen):
    """The outcomes of an item when this answer is chosen: its response processing, carried out."""
    correct = item.findtext(f"{QTI}responseDeclaration/{QTI}correctResponse/{QTI}value")
    outcomes = {}
    for outcome in item.findall(f"{QTI}outcomeDeclaration"):
        default = outcome.findtext(f"{QTI}defaultValue/{QTI}value")
        outcomes[outcome.get("identifier")] = default

    def value(expression):
        kind = expression.tag.removeprefix(QTI)
        if kind == "baseValue":
            return expression.text
        assert expression.get("identifier") == "RESPONSE"
        return {"variable": chosen, "correct": correct}[kind]

    def carry_out(rule):
        kind = rule.tag.removeprefix(QTI)
        if kind == "setOutcomeValue":
            assert rule.get("identifier") in outcomes
            outcomes[rule.get("identifier")] = value(rule[0])
            return
        assert kind == "responseCondition" and rule[0].tag == f"{QTI}responseIf"
        test, *then = rule[0]
        assert test.tag == f"{QTI}match"
        if value(test[0]) == value(test[1]):
            for each in then:
                carry_out(each)

    for rule in item.find(f"{QTI}responseProcessing"):
        carry_out(rule)
    return outcomes


def qti_question(item, part):
    """One item: what it asks, what each answer scores, and what is shown to who chose it."""
    order = [ITEM.index(element.tag.removeprefix(QTI)) for element in item]
    assert order == sorted(order), "the elements of an item have an order"
    assert {"identifier", "title", "adaptive", "timeDependent"} <= set(item.keys())

    interaction = item.find(f"{QTI}itemBody/{QTI}choiceInteraction")
    assert interaction.get("maxChoices") == "1" and interaction.get("shuffle") in ("true", "false")
    said = {
        shown.get("identifier"): inner(shown)
        for shown in item.findall(f"{QTI}modalFeedback")
        if shown.get("outcomeIdentifier") == "FEEDBACK" and shown.get("showHide") == "show"
    }
    key = item.get("identifier").removeprefix("item-")
    found = Read(key, part, inner(interaction.find(f"{QTI}prompt")))
    for choice in interaction.findall(f"{QTI}simpleChoice"):
        outcomes = play(item, choice.get("identifier"))
        right = float(outcomes["SCORE"]) == 1
        found.answers.append((inner(choice), right, said.get(outcomes["FEEDBACK"], "")))
    return found


def read_qti(path):
    """All questions of a package, found by way of its manifest and its test."""
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
        files = {name: ET.fromstring(package.read(name)) for name in names}
    assert len(set(names)) == len(names)

    resources = list(files["imsmanifest.xml"].iter(f"{PACKAGE}resource"))
    by_name = {resource.get("identifier"): resource for resource in resources}
    listed = [name.get("href") for name in files["imsmanifest.xml"].iter(f"{PACKAGE}file")]
    assert sorted([*listed, "imsmanifest.xml"]) == sorted(names), "the manifest lists every file"
    (test,) = [each for each in resources if each.get("type") == "imsqti_test_xmlv2p1"]
    needed = {each.get("identifierref") for each in test.iter(f"{PACKAGE}dependency")}
    assert needed == set(by_name) - {test.get("identifier")}

    questions = []
    for section in files[test.get("href")].iter(f"{QTI}assessmentSection"):
        for reference in section.findall(f"{QTI}assessmentItemRef"):
            assert reference.get("href") == by_name[reference.get("identifier")].get("href")
            item = files[reference.get("href")]
            assert item.tag == f"{QTI}assessmentItem"
            questions.append(qti_question(item, section.get("title")))
    return questions
