"""Questions as a package in QTI 2.1, which many learning platforms import.

IMS Question and Test Interoperability 2.1, https://www.imsglobal.org/question/: a zip file with a
manifest, one test, and an item for each question. An item has one interaction, from which one
answer may be chosen; who chose it is shown its reason, and the right one scores 1.
"""

import zipfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from lecturer.questions import Question

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"

# Where the schemas lie, for programs that check a package against them.
WHERE = {
    QTI: f"{QTI} http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd",
    PACKAGE: f"{PACKAGE} http://www.imsglobal.org/xsd/qti/qtiv2p1/qtiv2p1_imscpv1p2_v1p0.xsd",
}

# Every file of the package bears the same day, so that equal questions make equal bytes.
DAY = (2000, 1, 1, 0, 0, 0)


def root(tag: str, space: str, **attributes: str) -> ET.Element:
    """The outermost element of a file."""
    element = ET.Element(tag, {"xmlns": space, "xmlns:xsi": SCHEMA, **attributes})
    element.set("xsi:schemaLocation", WHERE[space])
    return element


def child(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    """A new element inside another one."""
    element = ET.SubElement(parent, tag, attributes)
    if text:
        element.text = text
    return element


def put(parent: ET.Element, fragment: str) -> None:
    """Put HTML, which must be well formed, into an element."""
    inside = ET.fromstring(f"<div>{fragment}</div>")
    parent.text = inside.text
    parent.extend(inside)


def written(element: ET.Element) -> bytes:
    ET.indent(element)
    return ET.tostring(element, encoding="utf-8", xml_declaration=True)


# -- the files -----------------------------------------------------------------------------------


def declare(item: ET.Element, right: str) -> None:
    """The variables of an item: what was chosen, what it scores, and what is shown."""
    response = child(
        item,
        "responseDeclaration",
        identifier="RESPONSE",
        cardinality="single",
        baseType="identifier",
    )
    child(child(response, "correctResponse"), "value", right)

    score = child(
        item, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float"
    )
    child(child(score, "defaultValue"), "value", "0")
    child(
        item,
        "outcomeDeclaration",
        identifier="FEEDBACK",
        cardinality="single",
        baseType="identifier",
    )


def process(item: ET.Element) -> None:
    """What happens with a response: 1 if it is the right one, and its own reason is shown."""
    processing = child(item, "responseProcessing")
    case = child(child(processing, "responseCondition"), "responseIf")
    match = child(case, "match")
    child(match, "variable", identifier="RESPONSE")
    child(match, "correct", identifier="RESPONSE")
    score = child(case, "setOutcomeValue", identifier="SCORE")
    child(score, "baseValue", "1", baseType="float")

    shown = child(processing, "setOutcomeValue", identifier="FEEDBACK")
    child(shown, "variable", identifier="RESPONSE")


def item(asked: Question) -> bytes:
    """One question as an assessmentItem. Its answers are called A, B, …"""
    names = [chr(ord("A") + place) for place in range(len(asked.answers))]
    right = next(name for name, answer in zip(names, asked.answers) if answer.right)
    element = root(
        "assessmentItem",
        QTI,
        identifier=f"item-{asked.key}",
        title=asked.key,
        adaptive="false",
        timeDependent="false",
    )
    declare(element, right)

    # Answers keep their order: some speak of the others.
    choice = child(
        child(element, "itemBody"),
        "choiceInteraction",
        responseIdentifier="RESPONSE",
        shuffle="false",
        maxChoices="1",
    )
    put(child(choice, "prompt"), asked.text)
    for name, answer in zip(names, asked.answers):
        put(child(choice, "simpleChoice", identifier=name), answer.text)

    process(element)
    for name, answer in zip(names, asked.answers):
        if answer.why:
            said = child(
                element,
                "modalFeedback",
                outcomeIdentifier="FEEDBACK",
                identifier=name,
                showHide="show",
            )
            put(said, answer.why)
    return written(element)


def test(questions: Sequence[Question], course: str) -> bytes:
    """All items as one assessmentTest, with a section for each part."""
    element = root("assessmentTest", QTI, identifier="test", title=course)
    part = child(
        element,
        "testPart",
        identifier="part",
        navigationMode="nonlinear",
        submissionMode="individual",
    )
    for place, (title, asked) in enumerate(groupby(questions, key=lambda each: each.part), 1):
        section = child(
            part, "assessmentSection", identifier=f"section-{place}", title=title, visible="true"
        )
        for each in asked:
            child(
                section,
                "assessmentItemRef",
                identifier=f"item-{each.key}",
                href=f"items/{each.key}.xml",
            )
    return written(element)


def manifest(questions: Sequence[Question]) -> bytes:
    """What is in the package."""
    element = root("manifest", PACKAGE, identifier="course")
    metadata = child(element, "metadata")
    child(metadata, "schema", "QTIv2.1 Package")
    child(metadata, "schemaversion", "1.0.0")
    child(element, "organizations")

    resources = child(element, "resources")
    whole = child(
        resources, "resource", identifier="the-test", type="imsqti_test_xmlv2p1", href="test.xml"
    )
    child(whole, "file", href="test.xml")
    for asked in questions:
        child(whole, "dependency", identifierref=f"item-{asked.key}")
    for asked in questions:
        href = f"items/{asked.key}.xml"
        resource = child(
            resources,
            "resource",
            identifier=f"item-{asked.key}",
            type="imsqti_item_xmlv2p1",
            href=href,
        )
        child(resource, "file", href=href)
    return written(element)


def write(questions: Sequence[Question], course: str, to: Path) -> None:
    """Write the package."""
    files = {"imsmanifest.xml": manifest(questions), "test.xml": test(questions, course)}
    for asked in questions:
        files[f"items/{asked.key}.xml"] = item(asked)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(zipfile.ZipInfo(name, DAY), content, zipfile.ZIP_DEFLATED)
