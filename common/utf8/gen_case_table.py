#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes utf8_case_table.h from Python's own Unicode data.

Code points that map to one other are folded into runs of equal distance: either every code point of a run maps (step 1)
or every second one (step 2, where upper and lower letters alternate). Code points that become several letters in upper
case, the only direction in which there are many of them, are listed with their UTF-8 bytes.
"""
import sys
import unicodedata


def runs(mapping):
    found = []
    for code, to in sorted(mapping.items()):
        delta = to - code
        if found:
            run = found[-1]
            gap = code - run["last"]
            if run["delta"] == delta and (gap == run["step"] or (run["first"] == run["last"] and gap in (1, 2))):
                run["last"], run["step"] = code, gap
                continue
        found.append({"first": code, "last": code, "delta": delta, "step": 1})
    return found


def print_runs(name, mapping):
    print(f"static const struct case_run {name}[] = {{")
    for r in runs(mapping):
        print(f"    {{0x{r['first']:04X}, 0x{r['last']:04X}, {r['step']}, {r['delta']}}},")
    print("};\n")


def utf8_literal(text):
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def main():
    upper, lower, several = {}, {}, {}
    for code in range(0x80, sys.maxunicode + 1):
        if 0xD800 <= code < 0xE000:
            continue
        char = chr(code)
        if len(char.upper()) > 1:
            several[code] = char.upper()
        elif char.upper() != char:
            upper[code] = ord(char.upper())
        if len(char.lower()) == 1 and char.lower() != char:
            lower[code] = ord(char.lower())
    print("// SPDX-License-Identifier: Apache-2.0")
    print(f"// Made by gen_case_table.py from Unicode {unicodedata.unidata_version}; do not edit.")
    print("// ASCII is left out; the code handles it without a table.\n")
    print_runs("upper_runs", upper)
    print_runs("lower_runs", lower)
    print("static const struct case_several upper_several[] = {")
    for code, text in sorted(several.items()):
        print(f'    {{0x{code:04X}, {len(text.encode())}, "{utf8_literal(text)}"}},')
    print("};")


if __name__ == "__main__":
    main()
