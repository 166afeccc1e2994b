#!/usr/bin/env python3
"""The examples in the comments of include/glia/layers/*.h as code: a table for tests/doc_comments/layer_examples_test.cpp.

    tools/layer_examples.py OUT

An example is a call of the declared layer with the shapes it takes and gives, behind the declaration or in the comment above it:

    LayerRef Flatten(DataFormatOptions options = {});  // Flatten(): (2, 3, 4) -> (2, 12)

"int" before a shape stands for ids, "text" for strings. A layer without an example is an error.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHAPES = r"(?:(?:int |text )?\([\d, ]+\)(?:, )?)+"
DECLARATION = re.compile(r"^LayerRef (\w+)\(")


def example_of(name, text):
    """(expression, inputs, outputs) of the example of `name`, or None."""
    comment = text[text.find("//") :]
    found = re.search(rf"(?<![\w:])({name}\(.*\)): ({SHAPES}) -> ({SHAPES})", comment)
    return found and found.groups()


def shapes(text):
    made = []
    for kind, extents in re.findall(r"(int |text )?\(([\d, ]+)\)", text):
        made.append(f"Array{{Kind::{kind.strip() or 'number'}_, Shape{{{extents}}}}}")
    return "std::vector<Array>{" + ", ".join(made) + "}"


def main():
    rows, missing = [], []
    for path in sorted((ROOT / "include/glia/layers").glob("*.h")):
        lines = path.read_text(encoding="utf-8").split("\n")
        for i, line in enumerate(lines):
            declared = DECLARATION.match(line)
            if not declared:
                continue
            end = i
            while not lines[end].split("//")[0].rstrip().endswith(";"):
                end += 1
            above = i
            while above > 0 and lines[above - 1].startswith("//"):
                above -= 1
            place = lines[above : end + 1]
            example = next((e for e in (example_of(declared[1], t) for t in reversed(place)) if e), None)
            if not example:
                missing.append(f"{path.relative_to(ROOT)}:{i + 1}: {declared[1]} has no example")
                continue
            code, takes, gives = example
            rows.append(f'Example{{"{declared[1]}", [] {{ return {code}; }}, {shapes(takes)}, {shapes(gives)}}},')
    if missing:
        sys.exit("\n".join(missing))
    pathlib.Path(sys.argv[1]).write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
