"""Writes the tables of the shipped case ``rigs-2026`` from stated inputs, so that every derived figure can be traced.

    python tools/build_case.py            # write the eight CSV files
    python tools/build_case.py --check    # exit 1 if a file differs from what the inputs give

Inputs stand in this file with what they were read from. Marks at the head of every note: READ in the source named,
DERIVED from read figures by the arithmetic shown, ESTIMATE (low-high), MEMORY (not checked), INFERENCE (assumed).
The README of the case says how the figures hang together and what to edit first.
"""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path

CASE = Path(__file__).parents[1] / "src" / "ashore" / "data" / "cases" / "rigs-2026"
Table = list[dict[str, object]]

# ---------------------------------------------------------------------------------------------------- sources
PYASIC = "github.com/UpstreamData/pyasic commit e2b9d357, pyasic/miners/device/models (Apache-2.0)"
CALCULATOR = "bitcoinminingfarmcalculator.com, plan, Appendix B, 2026-10-03 (archive record 70117465381)"
LISTINGS = "market listings of 2026 in public code, undated (archive record 61058673082)"
OWN = "own estimate; no teardown or public bill of materials was found"
NO_RATE = "own estimate; no rate was found"
RULING = "CBP NY N297495 (2018-06-08), affirmed HQ H300195; HTS 2026 rev. 10"
SCHEDULE = "HTS 2026 rev. 10, chapter 99 notes 16 and 52"
JOC = "magazine.joc.com/quarterly-intelligence-q1-2026 p. 4 (2025-12-05)"
SEA_BOX = "master-log.com/article-42388-60028 (2025-12-12)"
DREWRY = "Drewry WCI 2025-03 to 2025-05 (freshplaza.com, logisticsnews.ph, jiffa.or.jp)"
PAY = "Reshoring Institute 2022 (genimexgroup.com)"
IMPORTS = "atlas21.com/mining-imports-surge-ahead-of-tariff-enforcement; holder.io (2025-04)"
CCAF = "CCAF survey 2024 (satoshoz.com, 2025-04-29)"
HEATMAP = "Luxor heat map: satoshibrother.com 2025-05-27; btcread.com 2025-07; binance.bh 2025-10"
FOUNDRY = "Foundry 2023-07 (ledgerlife.io/?p=4717)"
LUXOR_SITES = "news.8btc.com, Luxor estimate (2022-01)"

# ------------------------------------------------------------------------- one rig of reference: S21 XP, 270 TH/s
REF_THS, REF_W, REF_BOARDS = 270, 3645, 3
CHIPS_USD = 1250.0  # ESTIMATE 900-1900: all chips of the rig, with package and test
HASHBOARD_USD = 230.0  # ESTIMATE 160-320: bare boards, passives, regulators and SMT, 3 boards
SMT_USD = 30.0  # ESTIMATE 20-45: the share of those 230 that is the work of populating them
HEATSINKS_USD = 110.0  # ESTIMATE 70-160
PSU_USD = 170.0  # ESTIMATE 120-230
FANS_USD = 28.0  # ESTIMATE 20-40
CONTROL_USD = 35.0  # ESTIMATE 22-60
CHASSIS_USD = 55.0  # ESTIMATE 35-80: with cables and packaging
LABOUR_USD = 6.0  # ESTIMATE 3-12: assembly and burn-in at a Malaysian wage
TEST_USD = 70.0  # ESTIMATE 40-120: test energy, yield loss, 3 percent warranty reserve
OVERHEAD_USD = 40.0  # ESTIMATE 20-75: 45 (25-80) less about 5 of inbound freight, which the lanes charge
REF_PARTS_USD = CHIPS_USD + HASHBOARD_USD + HEATSINKS_USD + PSU_USD + FANS_USD + CONTROL_USD + CHASSIS_USD  # 1,878
PACKED = 21 / 18.7  # packed over net weight of the S21 XP: 21 kg ESTIMATE, 18.7 kg READ (btcminermarketplace.com)
# net weight by part, shares of the rig's (ESTIMATE); chips, pcb and sinks sit on the boards: 48 percent together
WEIGHT = {
    "chips": 0.005,
    "pcb-kit": 0.059,
    "heat-sinks": 0.416,
    "psu": 0.225,
    "fans": 0.075,
    "control": 0.015,
    "chassis": 0.205,
}
SECOND_SOURCE = 1.05  # ESTIMATE 1.00-1.20: price of a part from its second origin over the first
CHINA, SECOND = "CN", {"pcb-kit": "TW", "fans": "TW", "control": "TW", "heat-sinks": "MY", "psu": "MY", "chassis": "MY"}


@dataclass(frozen=True)
class Rig:
    """An air rig and what its row says: hash rate, watts, boards x chips, fans, net weight, selling price."""

    name: str
    maker: str
    ths: float
    watts: float
    chips: int
    fans: int
    net_kg: float
    price: float
    foundry: str
    source: str
    note: str
    chip_note: str
    price_note: str
    boards: int = 3


MEAN_NET = (17.5 + 19.1 + 18.8 + 18.7 + 13.5) / 5  # S21, T21, S21 Pro, S21 XP, M60S++: 17.52
RIGS = (
    Rig(
        "s21-xp", "Bitmain", 270, 3645, 91, 4, 18.7, 2970, "TW",
        f"{CALCULATOR}; weight btcminermarketplace.com",
        "ESTIMATE: packed weight 21 kg (READ 18.7 kg net). READ: 270 TH/s, 3,645 W.",
        f"READ: {91} chips a board, 3 boards (pyasic S21XP)",
        "READ: 11 USD/TH new on 2026-10-03 x 270 TH = 2,970",
    ),
    Rig(
        "m70s", "MicroBT", 248, 3348, 204, 2, 13.5, 3224, "KR",
        f"{CALCULATOR} (shop.whatsminer.com details/79)",
        "ESTIMATE: weight of the M60S++ (READ 13.5 kg) stands in for the M70S. READ: 248 TH/s, 3,348 W.",
        "READ: 204 chips a board, 3 boards (WhatsMiner table in public code, archive record 16164092801)",
        "READ: maker's shop list price 3,224 on 2026-10-03 (13.0 USD/TH); bulk prices are lower",
    ),
    Rig(
        "a15-pro", "Canaan", 221, 3662, 160, 2, MEAN_NET, 1890, "TW",
        LISTINGS,
        "ESTIMATE: weight, mean 17.52 kg net (13.5-19.1) of five air rigs. READ: 221 TH/s, 3,662 W.",
        "INFERENCE: 160 chips a board as read for A1566, A15 and A15XP is assumed; 3 boards READ",
        "READ: lowest listing 1,890 (8.55 USD/TH), 2026 undated; 218 TH/s bin listed at 2,499",
    ),
    Rig(
        "at2880", "Auradine", 260, 4160, 132, 4, MEAN_NET, 3490, "TW",
        f"model table in public code (archive record 56993674473); {CALCULATOR}",
        "ESTIMATE: weight, mean 17.52 kg net (13.5-19.1) of five air rigs. READ: 260 TH/s, 4,160 W.",
        "INFERENCE: 132 chips a board as read for the AT1500 (pyasic) is assumed; 3 boards READ",
        "READ: US shop listing 3,490 (13.42 USD/TH), 2026 undated",
    ),
)  # fmt: skip
BY_MAKER = {rig.maker: rig for rig in RIGS}
ON_LIST = "on the metals list, 25 percent (metal from 15 percent of weight)"
HTS = {  # part: kind, tariff number, what to know about it
    "chips": ("chip", "8542.31.00", "processor line; 8542.39.00 would owe the same"),
    "pcb-kit": ("pcb", "8534.00.00", "bare board with passives as one product; passives have lines of their own"),
    "heat-sinks": (
        "heat-sink",
        "7616.99.51.90",
        "disputed: as a dedicated rig part 8543.90.88.85, 25 instead of 50 percent metals duty",
    ),
    "psu": ("psu", "8504.40.95.40", "above 500 W, for a rig outside 8471"),
    "fans": ("fan", "8414.59.65.90", f"this suffix is {ON_LIST}; the others are not"),
    "control": ("control", "8543.90.68.00", "printed circuit assembly of an 8543 machine"),
    "chassis": ("chassis", "8543.90.88.85", f"frame, end plates, cables as one product; {ON_LIST}"),
}


def usd(value: float) -> float:
    return round(value, 2)


def per_rig(rig: Rig, part: str) -> int:
    """Units of a part product that go into one rig; chips, boards' kits and heat sinks come by the board."""
    return rig.boards if part in ("chips", "pcb-kit", "heat-sinks") else 1


def price(rig: Rig, part: str) -> float:
    """First-source price of a part product in USD, scaled from the rig of reference."""
    match part:
        case "chips":
            return usd(CHIPS_USD / REF_THS * rig.ths / rig.boards)
        case "pcb-kit":
            return usd((HASHBOARD_USD - SMT_USD) / REF_BOARDS)
        case "heat-sinks":
            return usd(HEATSINKS_USD / REF_W * rig.watts / rig.boards)
        case "psu":
            return usd(PSU_USD / REF_W * rig.watts)
        case _:
            return {"fans": FANS_USD, "control": CONTROL_USD, "chassis": CHASSIS_USD}[part]


PRICE_NOTE = {
    "chips": "DERIVED from ESTIMATE 1,250 USD (900-1,900) at 270 TH/s: x {ths:g}/270 / {boards}; {chips} chips a set",
    "pcb-kit": "ESTIMATE (47-92): (230 - 30 of SMT work) / 3 boards; bare board with passives and regulators",
    "heat-sinks": "DERIVED from ESTIMATE 110 (70-160) USD for 3,645 W: x {w:g}/3,645 / {boards} boards; with paste",
    "psu": "DERIVED from ESTIMATE 170 (120-230) USD for 3,645 W: x {w:g}/3,645",
    "fans": "ESTIMATE (20-40): set of {fans}",
    "control": "ESTIMATE (22-60)",
    "chassis": "ESTIMATE (35-80): with cables and packaging",
}


def price_note(rig: Rig, part: str) -> str:
    return PRICE_NOTE[part].format(ths=rig.ths, w=rig.watts, chips=rig.chips, boards=rig.boards, fans=rig.fans)


def board_parts_usd(rig: Rig) -> float:
    return usd(sum(price(rig, part) for part in ("chips", "pcb-kit", "heat-sinks")))


def parts_usd(rig: Rig) -> float:
    """All that is bought for one rig, USD, SMT work included (1,878 for the S21 XP)."""
    return usd(sum(per_rig(rig, part) * price(rig, part) for part in WEIGHT) + rig.boards * SMT_USD / REF_BOARDS)


def test_usd(rig: Rig) -> float:
    return usd(TEST_USD * parts_usd(rig) / REF_PARTS_USD)


def margin(rig: Rig) -> float:
    """Selling price less what the rig costs its maker at a Malaysian plant."""
    return usd(rig.price - parts_usd(rig) - LABOUR_USD - test_usd(rig) - OVERHEAD_USD)


def kg(rig: Rig, part: str) -> float:
    return round(rig.net_kg * WEIGHT[part] / per_rig(rig, part), 3)


# -------------------------------------------------------------------------------------------------- products
def products() -> Table:
    rows: Table = []
    for rig in RIGS:
        packed = round(rig.net_kg * PACKED, 1)
        rows.append({
            "product": rig.name, "maker": rig.maker, "kind": "rig", "hts": "8543.70.98.60", "weight_kg": packed,
            "hash_ths": rig.ths, "power_w": rig.watts, "source": f"{rig.source}; {RULING}",
            "note": f"{rig.note} Packed = net {rig.net_kg:g} x 21/18.7.",
        })  # fmt: skip
        board_kg = round(sum(kg(rig, part) for part in ("chips", "pcb-kit", "heat-sinks")), 3)
        rows.append({
            "product": f"{rig.name}-board", "maker": rig.maker, "kind": "board", "hts": "8543.90.68.00",
            "weight_kg": board_kg, "hash_ths": round(rig.ths / rig.boards, 3), "source": f"{OWN}; {SCHEDULE}",
            "note": "ESTIMATE: weight, sum of its parts. INFERENCE: heading, part of an 8543 machine by Section XVI"
            " note 2(b); no ruling on a hash board was found.",
        })  # fmt: skip
        for part, share in WEIGHT.items():
            kind, hts, why = HTS[part]
            what = f"{rig.chips} chips, the set of one board; " if part == "chips" else ""
            what = f"set of {rig.fans} fans; " if part == "fans" else what
            rows.append({
                "product": f"{rig.name}-{part}", "maker": rig.maker, "kind": kind, "hts": hts,
                "weight_kg": kg(rig, part), "source": f"{OWN}; {SCHEDULE}",
                "note": f"ESTIMATE: weight, {100 * share:.3g} percent of the rig's net weight"
                f" / {per_rig(rig, part)}. {what}{why}.",
            })  # fmt: skip
    return rows


def parts() -> Table:
    rows: Table = []
    for rig in RIGS:
        board = f"{rig.name}-board"
        boards_note = f"{rig.chip_note}: {rig.chips} x {rig.boards} = {rig.chips * rig.boards} chips a rig"
        rows.append({"product": rig.name, "part": board, "quantity": rig.boards, "essential": "yes",
                     "source": rig.source if rig.maker == "MicroBT" else PYASIC, "note": boards_note})  # fmt: skip
        for part in WEIGHT:
            home = board if part in ("chips", "pcb-kit", "heat-sinks") else rig.name
            if part == "chips":
                source, note = PYASIC, f"{rig.chip_note}; one set = {rig.chips} chips"
            elif part == "fans":
                source, note = PYASIC, f"READ: {rig.fans} fans, one set"
                if rig.maker in ("MicroBT", "Canaan"):
                    note = f"INFERENCE: {rig.fans} fans read for a sister model of the series is assumed; one set"
            elif home == board:
                source, note = OWN, "INFERENCE: one set a board, fitted where the board is populated, is assumed"
            else:
                source, note = PYASIC, "INFERENCE: one a rig, as in every air rig of the catalogue, is assumed"
            rows.append({"product": home, "part": f"{rig.name}-{part}", "quantity": 1, "source": source, "note": note})
    return rows


FOUNDRY_OF = {
    "Bitmain": ("tomshardware.com/news/bitmain-readies-5nm-mining-asic (2021-05)", "READ: TSMC N5, Taiwan"),
    "MicroBT": (
        "d-central.tech/whatsminer-m-series (2026-06)",
        "INFERENCE: Samsung, Korea, as read for M3x and M5x, is assumed",
    ),
    "Canaan": (OWN, "MEMORY: foundry; whether TSMC, Samsung or SMIC was not found"),
    "Auradine": (
        "business summary in public code, secondary (archive record 71488730002)",
        "INFERENCE: TSMC, assumed in the source itself",
    ),
}


def supplies() -> Table:
    rows: Table = []
    for rig in RIGS:
        for part in WEIGHT:
            name, first, note = f"{rig.name}-{part}", price(rig, part), price_note(rig, part)
            if part == "chips":
                where = FOUNDRY_OF[rig.maker]
                rows.append({"product": name, "origin": rig.foundry, "price_usd": first, "source": f"{OWN}; {where[0]}",
                             "note": f"{note}. {where[1]}"})  # fmt: skip
                continue
            rows.append({"product": name, "origin": CHINA, "price_usd": first, "source": OWN, "note": note})
            second = usd(first * SECOND_SOURCE)
            rows.append({"product": name, "origin": SECOND[part], "price_usd": second, "source": OWN,
                         "note": f"ESTIMATE: 5 percent (0-20) above the price from China, {first:g} x 1.05;"
                         " place of the second source assumed"})  # fmt: skip
    return rows


# ----------------------------------------------------------------------------------------- demand and capacity
US_VALUE, US_SHARE, CA_SHARE = 2.3e9, 0.37, 0.02935
FLEET = {"Bitmain": 0.82, "MicroBT": 0.15, "Canaan": 0.02, "Auradine": 0.01}  # of US hash rate bought
US_MARKETS = {"us-texas": 0.285, "us-georgia": 0.096, "us-new-york": 0.088, "us-other": 0.531}
# hash rate (TH/s) bought in the US in a year: value over the mean price of a TH/s, 204 EH/s
US_THS = US_VALUE / sum(share * BY_MAKER[maker].price / BY_MAKER[maker].ths for maker, share in FLEET.items())
HASHPRICE, POWER, MONTHS = 0.040, 0.045, 36  # USD/TH/day; USD/kWh; months


def ths_month(market: str, maker: str) -> float:
    """Hash rate of a maker bought in a market in a month, TH/s; outside the US the three large makers share it all."""
    if market in US_MARKETS:
        return US_THS / 12 * US_MARKETS[market] * FLEET[maker]
    place = CA_SHARE if market == "canada" else 1 - US_SHARE - CA_SHARE
    share = 0.0 if maker == "Auradine" else FLEET[maker] / (1 - FLEET["Auradine"])
    return US_THS / 12 / US_SHARE * place * share


def units_month(market: str, maker: str) -> int:
    return round(ths_month(market, maker) / BY_MAKER[maker].ths)


def world_month(maker: str) -> int:
    return sum(units_month(market, maker) for market in (*US_MARKETS, "canada", "world"))


def lost_usd(rig: Rig) -> float:
    """Worth of a rig to its buyer: 36 months of margin at 40 USD/PH/day and 4.5 c/kWh, 30-day months."""
    return float(round(MONTHS * (rig.ths * HASHPRICE * 30 - rig.watts / 1000 * 720 * POWER)))


def demand() -> Table:
    rows: Table = []
    for market in (*US_MARKETS, "canada", "world"):
        for rig in RIGS:
            maker = rig.maker
            units = units_month(market, maker)
            if not units:
                continue
            if market in US_MARKETS:
                how = (f"imports of 2024, 2.3B USD / mean {US_VALUE / US_THS:.3f} USD/TH ="
                       f" {US_THS / 1e6:.0f} EH/s a year x {FLEET[maker]:g} maker x {US_MARKETS[market]:g} region"
                       f" / 12 / {rig.ths:g} TH")  # fmt: skip
                source = f"{IMPORTS}; {CCAF}; {FOUNDRY}"
            else:
                place = CA_SHARE if market == "canada" else 1 - US_SHARE - CA_SHARE
                how = (f"US {US_THS / 1e6:.0f} EH/s a year / 0.37 x {place:.5g} of the world x"
                       f" {FLEET[maker]:g}/0.99 maker / 12 / {rig.ths:g} TH")  # fmt: skip
                source = f"{IMPORTS}; {CCAF}; {HEATMAP}"
            rows.append({
                "market": market, "product": rig.name, "units": units, "price_usd": rig.price,
                "lost_usd": lost_usd(rig), "source": f"{source}; price {rig.source}",
                "note": "ESTIMATE: the pace of 2024 goes on; shares of installed hash rate stand in for sales."
                f" Units: {how}. Price: {rig.price_note}."
                f" Lost: 36 x ({rig.ths:g} TH x 0.040 x 30 - {rig.watts / 1000:g} kW x 720 h x 0.045).",
            })  # fmt: skip
    return rows


def markets() -> Table:
    fleet = "ESTIMATE: survey median 0.045 (READ, 2024) stands in"
    row = [
        ("us-texas", "US", 0.03, "cointelegraph.com 2026-02-24 (Canaan sites); marketbeat.com 2024-07-31 (Riot)",
         "ESTIMATE (0.027-0.045): READ below 0.03 at three sites and 0.027 at Riot"),
        ("us-georgia", "US", 0.045, "CCAF survey (reportify.ai, 2025-06)", fleet),
        ("us-new-york", "US", 0.081, "onequarters.com, TheMinerMag data (2025-06)",
         "ESTIMATE (0.045-0.081): READ 0.081 for TeraWulf in 2025-Q1; that its site is in New York is MEMORY"),
        ("us-other", "US", 0.045, "CCAF survey (reportify.ai, 2025-06)", fleet),
        ("canada", "CA", 0.045, "CCAF survey (reportify.ai, 2025-06)", fleet),
        ("world", "AE", 0.045, "CCAF survey (reportify.ai, 2025-06); btcread.com 2025-07",
         f"{fleet}. INFERENCE: a hub in the Emirates (3.5 percent of hash rate, READ) stands for all other countries"),
    ]  # fmt: skip
    columns = ("market", "country", "power_usd_kwh", "source", "note")
    return [dict(zip(columns, values, strict=True)) for values in row]


# ------------------------------------------------------------------------------------------ plants and makes
# capacity of open plants in Asia: shares of the maker's modelled demand, 125 percent together
ASIA = {
    ("Bitmain", "MY"): (0.50, LUXOR_SITES, "READ: largest site, by Luxor's estimate of 2022"),
    ("Bitmain", "ID"): (0.25, "backdoor.news 2025-04-03", "READ: assembles by 2025-04"),
    ("Bitmain", "TH"): (0.25, "backdoor.news 2025-04-03", "READ: assembles by 2025-04"),
    ("Bitmain", "CN"): (0.25, LUXOR_SITES, "READ: capacity cut by 50-70 percent from 2021-09"),
    ("MicroBT", "MY"): (0.65, "nexidiant.com (2021-09)", "READ: assembles by 2021"),
    ("MicroBT", "TH"): (0.60, "nexidiant.com (2021-09)", "READ: assembles by 2021"),
    ("Canaan", "MY"): (0.75, "satoshibrother.com (2025-06-23)", "READ: North American rigs come from here"),
    ("Canaan", "CN"): (0.50, "megalodon.jp, Reuters summary (2025-06-19)", "READ: operations remain"),
    ("Auradine", "MY"): (1.25, OWN, "INFERENCE: 'partner sites' (READ, conflicting) are assumed to be in Malaysia"),
}
# existing US lines: box build of foreign boards
US_NOW = {
    "Bitmain": (1000, "ccn.com (2024-12-09); holder.io",
                "ESTIMATE (500-3,000): READ pilot since 2024-12-09, small against overseas; nothing read on 2026"),
    "MicroBT": (5600, "sec.gov Riot 10-Q R13 (2024-05); blockworks.co",
                "DERIVED, upper bound of an ESTIMATE (1,000-5,600): 25.6 EH/s ordered / 228 TH a unit / 20 months;"
                " Pittsburgh, US share of the board's making not stated"),
    "Canaan": (300, "satoshibrother.com (2025-06-23); markets.ft.com (2025-08-14)",
               "ESTIMATE (100-500): READ local production at small scale"),
    "Auradine": (1000, "business summary in public code, secondary (archive record 71488730002)",
                 "ESTIMATE (500-2,000): US assembly READ but conflicting; boards assumed foreign"),
}  # fmt: skip
LINE = "own estimate; mugglehead.com 2025-07-29 (Bitmain: site by 2025-Q3, first output early 2026, 250 staff)"
# candidates: maker, name, step, rigs a month, capital M USD, lead, ramp
US_NEXT = (
    ("Bitmain", "bitmain-us-box", "box", 10000, 6, 8, 4),
    ("Bitmain", "bitmain-us-smt", "smt", 10000, 14, 12, 6),
    ("Bitmain", "bitmain-us-box-2", "box", 40000, 24, 12, 6),
    ("Bitmain", "bitmain-us-smt-2", "smt", 40000, 56, 18, 6),
    ("MicroBT", "microbt-us-box", "box", 10000, 6, 8, 4),
    ("MicroBT", "microbt-us-smt", "smt", 10000, 14, 12, 6),
    ("Canaan", "canaan-us-box", "box", 3000, 3, 8, 4),
    ("Canaan", "canaan-us-smt", "smt", 3000, 8, 12, 6),
    ("Auradine", "auradine-us-smt", "smt", 1000, 8, 12, 6),
)
CAPITAL = {
    ("box", 10000): "6M USD (3-12M) at 10,000 rigs a month",
    ("smt", 10000): "14M USD (8-25M) for four lines at 10,000 rigs a month",
    ("box", 40000): "four times 6M USD (3-12M)",
    ("smt", 40000): "four times 14M USD (8-25M)",
    ("box", 3000): "3M USD at 1,000 to 3,000 rigs a month",
    ("smt", 3000): "8M USD at 1,000 to 3,000 rigs a month",
    ("smt", 1000): "8M USD at 1,000 to 3,000 rigs a month",
}
WAGE = {"MY": 7.5, "TH": 8.0, "CN": 13.0, "ID": 7.5}  # thousand USD a year; ID: none read, Malaysia's stands in
BOX_GAP, SMT_GAP = 32.0, 10.0  # USD a rig, US over Malaysia: (20-60); 42 for both steps less 32


def slug(maker: str, place: str) -> str:
    return f"{maker.casefold()}-{place.casefold()}"


def plants() -> Table:
    rows: Table = []
    for (maker, country), (share, source, why) in ASIA.items():
        rows.append({
            "plant": slug(maker, country), "company": maker, "country": country, "open": "yes", "open_usd": 0,
            "fixed_usd_month": 0, "lead_months": 0, "ramp_months": 0,
            "capacity_month": round(share * world_month(maker), -2) or 100, "source": source,
            "note": f"ESTIMATE: capacity, {share:g} of the {world_month(maker):,} rigs a month modelled"
            f" (no capacity was found); fixed cost is in the unit cost. {why}.",
        })  # fmt: skip
    for maker, (units, source, why) in US_NOW.items():
        rows.append({
            "plant": slug(maker, "us"), "company": maker, "country": "US", "open": "yes", "open_usd": 0,
            "fixed_usd_month": 0, "lead_months": 0, "ramp_months": 0, "capacity_month": units, "source": source,
            "note": f"{why}. Cost of keeping it is sunk and left out.",
        })  # fmt: skip
    for maker, name, step, units, capital, lead, ramp in US_NEXT:
        what = "rigs from foreign or US boards" if step == "box" else "boards, counted in rigs"
        rows.append({
            "plant": name, "company": maker, "country": "US", "open": "no", "open_usd": capital * 1_000_000,
            "fixed_usd_month": capital * 10_000, "lead_months": lead, "ramp_months": ramp, "capacity_month": units,
            "source": LINE,
            "note": f"ESTIMATE: {CAPITAL[step, units]}; fixed 1 percent (0.5-2) of it a month; lead {lead} of the 6-18"
            f" months a plant takes. Makes {what}.",
        })  # fmt: skip
    return rows


def makes() -> Table:
    rows: Table = []
    homes = [(slug(maker, country), maker, country) for maker, country in ASIA]
    homes += [(slug(maker, "us"), maker, "box") for maker in US_NOW]
    homes += [(name, maker, step) for maker, name, step, *_ in US_NEXT]
    for plant, maker, where in homes:
        rig = BY_MAKER[maker]
        if where != "box":
            gap = SMT_GAP / rig.boards if where == "smt" else 0.0
            cost = usd(SMT_USD / REF_BOARDS + gap)
            us = ", + 10 USD a rig of US labour / 3" if gap else ""
            rows.append({
                "plant": plant, "product": f"{rig.name}-board", "cost_usd": cost,
                "customs_value_usd": usd(board_parts_usd(rig) + cost),
                "capacity_use": round(1 / rig.boards, 6) if where == "smt" else round(0.5 / rig.boards, 6),
                "confers_origin": "yes", "source": f"{OWN}; CBP N314611 and others on where boards are populated",
                "note": f"ESTIMATE: 30 USD (20-45) of SMT work a rig / 3{us}. Customs value: maker's cost"
                f" {board_parts_usd(rig):g} + {cost:g}; customs may ask for profit on top (0.86 of the selling price of"
                " the kit instead of 0.65).",
            })  # fmt: skip
        if where == "smt":
            continue
        labour = usd(LABOUR_USD + BOX_GAP) if where == "box" else usd(LABOUR_USD * WAGE[where] / WAGE["MY"])
        how = "6 + 32 (20-60) of US labour" if where == "box" else f"6 x {WAGE[where]:g}/7.5 of pay"
        how += ", wage of Malaysia assumed" if where == "ID" else ""
        rows.append({
            "plant": plant, "product": rig.name, "cost_usd": usd(labour + test_usd(rig) + OVERHEAD_USD + margin(rig)),
            "customs_value_usd": rig.price, "capacity_use": 1 if where == "box" else 0.5, "confers_origin": "no",
            "source": f"{OWN}; {PAY}; price {rig.source}",
            "note": f"ESTIMATE: labour {labour:g} ({how}) + test and warranty {test_usd(rig):g} + overhead 40"
            f" + maker's margin {margin(rig):g} (selling price {rig.price:g} - cost"
            f" {usd(rig.price - margin(rig)):g} at a Malaysian plant). Customs value: the selling price."
            " Box build keeps the board's origin (MEMORY: usual CBP reading).",
        })  # fmt: skip
    return rows


# ------------------------------------------------------------------------------------------------------ lanes
BOX_KG = 1200 * 21  # one 40-foot container: 1,200 rigs of 21 kg, 25.2 t (DERIVED)
# USD/kg: drayage 2,800 a box, handling 4 a rig of 21 kg, broker 150 an entry of 200 rigs
INLAND = (2800 / BOX_KG, 4 / 21, 150 / 200 / 21)
EAST = (4038 / 2906 + 3894 / 2726 + 4350 / 3136) / 3  # box to the East over the West Coast, three dates of 2025: 1.402
CLEAR, TRUCK = 2, 3  # days
AIR_US = {"CN": 5.9, "MY": 7.5, "TH": 7.5, "ID": 7.5, "TW": 5.9, "KR": 5.9}
SEA_US = {"CN": (1400, 20), "MY": (3000, 28), "TH": (3000, 28), "ID": (3000, 28), "TW": (1400, 18), "KR": (1400, 18)}
KIT_LEG = {("CN", "MY"): 1200, ("CN", "ID"): 2000, ("CN", "TH"): 1500}


def lane(start: str, end: str, mode: str, per_kg: float, days: float, source: str, note: str) -> dict[str, object]:
    return {"from": start, "to": end, "mode": mode, "usd_per_kg": round(per_kg, 3), "days": days,
            "source": source, "note": note}  # fmt: skip


def lanes() -> Table:
    rows: Table = []
    inland = sum(INLAND)
    tail = f"+ {inland:.3f} inland (drayage 2,800 USD a box, handling 4 a rig, broker 150 an entry of 200: MEMORY)"
    days_air = "6 days door to door (4-9) MEMORY"
    for start, rate in AIR_US.items():
        said = "READ: South-East Asia-West Coast 7.50 USD/kg"
        if rate < 7.5:
            said = "READ: Hong Kong-Chicago 5.90 USD/kg" if start == "CN" else "ESTIMATE: Hong Kong's rate stands in"
        for end in ("US", "CA"):
            guess = " Canada as the US West Coast, ESTIMATE." if end == "CA" else ""
            rows.append(lane(start, end, "air", rate + inland, 6, JOC, f"{said} {tail}; {days_air}.{guess}"))
        if rate == 7.5:
            for end in ("us-georgia", "us-new-york"):
                note = f"READ: South-East Asia-East Coast 8.50 USD/kg {tail}; {days_air}"
                rows.append(lane(start, end, "air", 8.5 + inland, 6, JOC, note))
    for start, (box, days) in SEA_US.items():
        said = f"ESTIMATE: {box:,} USD a box, none read for 2026"
        if start == "CN":
            said = "READ: 1,400 USD a box Shanghai-West Coast"
        source = SEA_BOX if start in ("CN", "TW", "KR") else NO_RATE
        for end in ("US", "CA"):
            note = f"{said} / 25.2 t {tail}; {days} days at sea + 2 + 3 MEMORY."
            note += " Canada as the US West Coast, ESTIMATE." if end == "CA" else ""
            rows.append(lane(start, end, "ocean", box / BOX_KG + inland, days + CLEAR + TRUCK, source, note))
        if start in ("TW", "KR"):
            continue
        for end in ("us-texas", "us-georgia", "us-new-york"):
            note = f"DERIVED from {said} x {EAST:.3f} East over West Coast {tail}; {days + 10} days + 2 + 3 MEMORY"
            rows.append(lane(start, end, "ocean", box * EAST / BOX_KG + inland, days + 10 + CLEAR + TRUCK,
                             f"{source}; {DREWRY}", note))  # fmt: skip
    for start in ("CN", "MY", "TH", "ID", "TW", "KR"):
        for end in ("CN", "MY", "TH", "ID"):
            if start == end or (end == "CN" and start in ("MY", "TH", "ID")):  # nothing goes back to China
                continue
            note = "ESTIMATE (1.5-4 USD/kg): none read inside Asia; 4 days MEMORY"
            rows.append(lane(start, end, "air", 2.5, 4, NO_RATE, note))
            read = KIT_LEG.get((start, end))
            box = read or 1200
            note = f"{'READ:' if read else 'ESTIMATE: as Shanghai-Malaysia,'} {box:,} USD a box / 25.2 t"
            if (start, end) == ("CN", "TH"):
                note = "ESTIMATE: Shanghai-Vietnam (READ) stands in, 1,500 USD a box / 25.2 t"
            source = SEA_BOX if read else f"own estimate; {SEA_BOX}"
            rows.append(lane(start, end, "ocean", box / BOX_KG, 12, source, f"{note}; 12 days MEMORY (8-18)"))
    for start in ("CN", "MY", "TH", "ID", "US"):
        rate, box, days = (7.5, 3000, 40) if start == "US" else (3.0, 2000, 25)
        span = "as South-East Asia-US" if start == "US" else "2-5 USD/kg"
        rows.append(lane(start, "AE", "air", rate, 6, NO_RATE, f"ESTIMATE ({span}): none read to the Emirates"))
        rows.append(lane(start, "AE", "ocean", box / BOX_KG, days, NO_RATE,
                         f"ESTIMATE (1,200-4,000): {box:,} USD a box / 25.2 t, {days} days; none read"))  # fmt: skip
    drayage, handling, broker = INLAND
    note = "MEMORY: 2,800 USD (1,800-4,500) a box / 25.2 t + handling 4 USD (2-8) a rig / 21 kg; 3 days (1-6)"
    rows.append(lane("US", "US", "truck", drayage + handling, TRUCK, NO_RATE, note))
    note = "ESTIMATE: twice the US drayage + handling + broker; 5 days"
    rows.append(lane("US", "CA", "truck", 2 * drayage + handling + broker, 5, NO_RATE, note))
    return rows


# ----------------------------------------------------------------------------------------------------- writing
COLUMNS = {
    "products": "product,maker,kind,hts,weight_kg,hash_ths,power_w",
    "parts": "product,part,quantity,essential",
    "plants": "plant,company,country,open,open_usd,fixed_usd_month,lead_months,ramp_months,capacity_month",
    "makes": "plant,product,cost_usd,customs_value_usd,capacity_use,confers_origin",
    "supplies": "product,origin,price_usd,limit_month",
    "lanes": "from,to,mode,usd_per_kg,usd_per_unit,days",
    "markets": "market,country,power_usd_kwh",
    "demand": "market,product,month,units,price_usd,lost_usd",
}
TABLES = {"products": products, "parts": parts, "plants": plants, "makes": makes,
          "supplies": supplies, "lanes": lanes, "markets": markets, "demand": demand}  # fmt: skip


def text(name: str) -> str:
    """One table as CSV text."""
    columns = [*COLUMNS[name].split(","), "source", "note"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for row in TABLES[name]():
        writer.writerow({key: f"{value:.10g}" if isinstance(value, float) else value for key, value in row.items()})
    return out.getvalue()


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    stale = []
    for name in TABLES:
        path, wanted = CASE / f"{name}.csv", text(name)
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != wanted:
                stale.append(path.name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted, encoding="utf-8")
    if stale:
        print(f"{', '.join(stale)} differ from what tools/build_case.py gives; run it, or carry the edit into it.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
