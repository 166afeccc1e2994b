#!/usr/bin/env python3
"""Checks the documentation: every ```cpp block that has a main() compiles, and every relative link leads to a file.

    tools/check_docs.py CXX [file.md ...]     (default: README.md, CONTRIBUTING.md and docs/**/*.md)
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```cpp\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def compile_block(compiler, code):
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as f:
        f.write(code)
        f.flush()
        command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-missing-field-initializers",
                   "-Wno-unused-variable", "-Wno-unused-but-set-variable", f"-I{ROOT / 'include'}", f.name]
        return subprocess.run(command, capture_output=True, text=True)


def main():
    compiler = sys.argv[1] if len(sys.argv) > 1 else "c++"
    files = [pathlib.Path(a).resolve() for a in sys.argv[2:]]
    if not files:
        files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"] + sorted((ROOT / "docs").rglob("*.md"))
    problems = blocks = 0
    for path in files:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        for match in BLOCK.finditer(text):
            if "int main" not in match[1]:
                continue
            blocks += 1
            result = compile_block(compiler, match[1])
            if result.returncode:
                problems += 1
                print(f"{name}:{text[:match.start()].count(chr(10)) + 1}: does not compile\n{result.stderr}")
        for target in LINK.findall(text):
            if "://" not in target and not (path.parent / target).exists():
                problems += 1
                print(f"{name}: link to {target}, which does not exist")
    print(f"check_docs: {len(files)} files, {blocks} programs compiled, {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
