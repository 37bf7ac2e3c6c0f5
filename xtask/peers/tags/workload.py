"""Made-up entries and rules for the bench of the tag matcher.

usage: workload.py FOLDER ENTRIES RULES (plain|sharp)

Writes FOLDER/entries.parquet, part.parquet with the first 500,000 and first.parquet and first.csv with the first 2,000
of them, and rules.jsonl, one rule a line: `id`, `when` in the rule language, `sql`, and
`parts` for engines that want expressions built: [column, "range", low, high], [column, "in", [...]], [column, "prefix",
text]. Amounts are whole numbers, so that every engine compares exactly.

plain: whole numbers only, thresholds from a grid of 200 quantiles, no gaps.
sharp: commodity codes, countries and ports are texts; thresholds are values of entries, almost all different; one value
in twelve is absent.
"""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet as pq

FOLDER, ENTRIES, RULES, KIND = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
SHARP = KIND == "sharp"
RANDOM = np.random.default_rng(20260301)
ENTERPRISES, VEHICLES, COUNTRIES, PORTS, PROCEDURES = 1_000_000, 600_000, 240, 350, 40
LARGEST = 2**31 - 1


def zipf(count, exponent, size):
    """Positions from 0, the first ones most often."""
    weights = np.cumsum(1.0 / np.arange(1, count + 1) ** exponent)
    return np.searchsorted(weights / weights[-1], RANDOM.random(size)).astype(np.int32)


def commodity_codes():
    """Six-digit codes in 97 chapters, with 4 to 21 headings each and up to 8 subheadings in a heading."""
    codes = []
    for chapter in range(1, 98):
        for heading in RANDOM.choice(np.arange(1, 60), size=RANDOM.integers(4, 22), replace=False):
            for sub in RANDOM.choice(np.arange(10, 99), size=RANDOM.integers(1, 9), replace=False):
                codes.append(chapter * 10_000 + int(heading) * 100 + int(sub))
    return np.array(sorted(codes), np.int32)


CODES = commodity_codes()


def entries():
    """Columns of whole numbers, as they are before texts and gaps."""
    popularity = RANDOM.permutation(len(CODES))
    second = np.sort(RANDOM.integers(0, 400 * 86_400, ENTRIES)).astype(np.int32)
    enterprise = RANDOM.permutation(ENTERPRISES).astype(np.int32)[zipf(ENTERPRISES, 1.05, ENTRIES)]
    own_goods = zipf(len(CODES), 0.9, ENTERPRISES)
    goods = np.where(RANDOM.random(ENTRIES) < 0.5, own_goods[enterprise], zipf(len(CODES), 0.9, ENTRIES))
    code = CODES[popularity[goods]]
    mass = np.exp(RANDOM.normal(8, 2, ENTRIES))
    unit_value = np.exp(RANDOM.normal(1.5, 1.3, 1_000_000))[code] * np.exp(RANDOM.normal(0, 0.5, ENTRIES))
    new_trader = (RANDOM.random(ENTERPRISES) < 0.08).astype(np.int32)[enterprise]
    whole = lambda amounts, most: np.clip(amounts, 1, most).astype(np.int32)
    return {
        "second": second,
        "enterprise": enterprise,
        "vehicle": RANDOM.integers(0, VEHICLES, ENTRIES).astype(np.int32),
        "commodity_code": code,
        "origin": zipf(COUNTRIES, 1.1, ENTRIES),
        "destination": zipf(COUNTRIES, 0.9, ENTRIES),
        "port": zipf(PORTS, 0.9, ENTRIES),
        "procedure": zipf(PROCEDURES, 1.3, ENTRIES),
        "mode": zipf(6, 0.8, ENTRIES),
        "channel": zipf(3, 2.0, ENTRIES),
        "mass": whole(mass, 2e9),
        "value": whole(mass / 10 * unit_value, 2e9),
        "unit_value": whole(unit_value * 100, 2e9),
        "packages": whole(np.exp(RANDOM.normal(3, 1.5, ENTRIES)), 1e6),
        "hour": ((second // 3_600) % 24).astype(np.int32),
        "new_trader": new_trader,
        "transit": (RANDOM.random(ENTRIES) < 0.06).astype(np.int32),
    }


COLUMNS = entries()
AMOUNTS = ("mass", "value", "unit_value", "packages")
CODED = {"origin": COUNTRIES, "destination": COUNTRIES, "port": PORTS, "procedure": PROCEDURES}
TEXTS = {"commodity_code": 6, "origin": 3, "destination": 3, "port": 3} if SHARP else {}
GRID = {name: np.quantile(COLUMNS[name][:200_000], np.linspace(0, 1, 201)).astype(int) for name in AMOUNTS}


def quantile(name, at):
    """A threshold near the quantile `at` of 200."""
    if not SHARP:
        return int(GRID[name][at])
    return int(RANDOM.integers(GRID[name][at], max(GRID[name][min(at + 1, 200)], GRID[name][at] + 1)))


def part_on_code():
    code = int(COLUMNS["commodity_code"][RANDOM.integers(ENTRIES)]) if RANDOM.random() < 0.5 else int(RANDOM.choice(CODES))
    kind = RANDOM.random()
    if kind < 0.60:
        digits = 2 if kind < 0.15 else 4
        if SHARP:
            return ["commodity_code", "prefix", f"{code:06}"[:digits]]
        width = 10 ** (6 - digits)
        low = code // width * width
        return ["commodity_code", "range", low, low + width - 1]
    if kind < 0.90:
        return ["commodity_code", "range", code, code]
    several = {int(RANDOM.choice(CODES)) for _ in range(RANDOM.integers(2, 9))}
    return ["commodity_code", "in", sorted(several)]


def part_on_coded(name):
    def one():
        return int(COLUMNS[name][RANDOM.integers(ENTRIES)]) if RANDOM.random() < 0.4 else int(RANDOM.integers(CODED[name]))

    if RANDOM.random() < 0.6:
        value = one()
        return [name, "range", value, value]
    return [name, "in", sorted({one() for _ in range(RANDOM.integers(2, 9))})]


def part_on_amount(name):
    kind = RANDOM.random()
    if kind < 0.55:
        return [name, "range", quantile(name, int(RANDOM.integers(150, 200))), LARGEST]
    if kind < 0.80:
        return [name, "range", 0, quantile(name, int(RANDOM.integers(2, 50)))]
    at = int(RANDOM.integers(0, 180))
    low = quantile(name, at)
    return [name, "range", low, max(low, quantile(name, at + 20))]


def part(name):
    if name == "commodity_code":
        return part_on_code()
    if name in CODED:
        return part_on_coded(name)
    if name in AMOUNTS:
        return part_on_amount(name)
    if name == "hour":
        low = int(RANDOM.integers(0, 20))
        return [name, "range", low, low + int(RANDOM.integers(2, 6))]
    value = int(RANDOM.integers({"mode": 6, "channel": 3}.get(name, 2))) if name in ("mode", "channel") else 1
    return [name, "range", value, value]


def as_text(name, value):
    return f"{value:0{TEXTS[name]}}"


def with_texts(part):
    """The part over the columns as they are written."""
    name, kind, *rest = part
    if name not in TEXTS or kind == "prefix":
        return part
    if kind == "in":
        return [name, "in", [as_text(name, value) for value in rest[0]]]
    assert rest[0] == rest[1]
    return [name, "range", as_text(name, rest[0]), as_text(name, rest[0])]


def literal(value, quote):
    return f"{quote}{value}{quote}" if isinstance(value, str) else str(value)


def when(part):
    name, kind, *rest = part
    if kind == "prefix":
        return f'{name}.startsWith("{rest[0]}")'
    if kind == "in":
        return f"{name} in [{', '.join(literal(value, chr(34)) for value in rest[0])}]"
    low, high = rest
    if low == high:
        return f"{name} == {literal(low, chr(34))}"
    if high == LARGEST:
        return f"{name} >= {low}"
    return f"{name} <= {high}" if low == 0 else f"{name} >= {low} && {name} <= {high}"


def sql(part):
    name, kind, *rest = part
    if kind == "prefix":
        return f"{name} like '{rest[0]}%'"
    if kind == "in":
        return f"{name} in ({','.join(literal(value, chr(39)) for value in rest[0])})"
    low, high = rest
    if low == high:
        return f"{name} = {literal(low, chr(39))}"
    if high == LARGEST:
        return f"{name} >= {low}"
    return f"{name} <= {high}" if low == 0 else f"{name} between {low} and {high}"


WEIGHTS = {
    "commodity_code": 0.75, "origin": 0.5, "port": 0.35, "destination": 0.2, "procedure": 0.2, "value": 0.35,
    "unit_value": 0.4, "mass": 0.25, "packages": 0.12, "mode": 0.15, "channel": 0.12, "hour": 0.1,
    "new_trader": 0.12, "transit": 0.1,
}
NAMES = np.array(list(WEIGHTS))
CHANCES = np.array(list(WEIGHTS.values())) / sum(WEIGHTS.values())
SELECTIVE = {"commodity_code", "origin", "port", "destination", "procedure"}


def rules():
    """Different conjunctions of two to four parts, of which at least one is on a code."""
    seen = set()
    while len(seen) < RULES:
        count = int(RANDOM.choice([2, 3, 4], p=[0.25, 0.45, 0.30]))
        names = [str(name) for name in RANDOM.choice(NAMES, size=count, replace=False, p=CHANCES)]
        if not SELECTIVE & set(names):
            continue
        parts = [with_texts(part(name)) for name in names]
        key = json.dumps(sorted(parts, key=str))
        if key not in seen:
            seen.add(key)
            yield parts


with open(f"{FOLDER}/rules.jsonl", "w", encoding="utf-8") as out:
    for number, parts in enumerate(rules()):
        line = {
            "id": str(number),
            "when": " && ".join(map(when, parts)),
            "sql": " and ".join(map(sql, parts)),
            "parts": parts,
        }
        out.write(json.dumps(line) + "\n")

written = {}
for name, values in COLUMNS.items():
    column = pa.array([as_text(name, value) for value in values]) if name in TEXTS else pa.array(values)
    if SHARP and name not in ("second", "enterprise"):
        gaps = RANDOM.random(ENTRIES) < 1 / 12
        column = pa.compute.if_else(pa.array(gaps), pa.scalar(None, column.type), column)
    written[name] = column


def write(name, entries):
    pq.write_table(table.slice(0, entries), f"{FOLDER}/{name}.parquet", compression="zstd", row_group_size=1 << 20)


table = pa.table(written)
write("entries", ENTRIES)
# For engines that would take too long over all of them.
write("part", 500_000)
# For those that take one entry at a time.
write("first", 2_000)
with open(f"{FOLDER}/first.csv", "wb") as out:
    pa.csv.write_csv(table.slice(0, 2_000), out)
