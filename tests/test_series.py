"""Daily series: the user's own file, recorded answers of services, and a node that answers on this machine."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ashore import mining
from ashore.errors import FaultyInput, OutsideCoverage

RECORDED = Path(__file__).parent / "series"


def written(folder: Path, text: str, name: str = "series.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(*sources: Any) -> str:
    with pytest.raises(FaultyInput) as error:
        mining.load_all(sources)
    assert all(fault.remedy for fault in error.value.faults)
    return str(error.value)


# The user's own file


def test_own_series_is_read_in_any_order_and_hash_price_reckoned(tmp_path):
    path = written(tmp_path, "date,price_usd,fees_btc\n2026-06-12,61500,0.02\n2026-06-10,61000,0.03\n")
    series = mining.load_all([path])
    assert [str(day) for day in series.days] == ["2026-06-10", "2026-06-12"]
    difficulty = 138955357012247.3
    assert series.difficulty.tolist() == [difficulty] * 2
    expected = mining.hashprice_usd_phd(difficulty, 3.125, [0.03, 0.02], [61000, 61500])
    assert series.hashprice == pytest.approx(expected)
    assert series.notes == ()


def test_a_given_hash_price_and_difficulty_count_before_reckoned_ones(tmp_path):
    text = "date,price_usd,difficulty,hashprice\n2026-06-10,61000,,30\n2027-01-01,90000,140e12,\n2027-01-05,90000,,\n"
    series = mining.load_all([written(tmp_path, text)])
    expected = float(mining.hashprice_usd_phd(140e12, 3.125, 0, 90000))
    assert series.hashprice == pytest.approx([30, expected, expected])
    assert "fees of 2 of 2 days are not given and taken as 0" in series.notes[0]


def test_a_later_day_without_difficulty_is_refused_with_where_to_get_it(tmp_path):
    with pytest.raises(OutsideCoverage, match="mining/hashrate"):
        mining.load_all([written(tmp_path, "date,price_usd\n2027-01-01,90000\n")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("date,price_usd\n", "empty"),
        ("date,hashprice\n2026-06-10,-3\n", "not above 0"),
        ("date,hashprice\n2026-06-10,NaN\n", "'NaN' is not a number"),
        ("date,hashprice\n2026-06-10,0\n", "not above 0"),
        ("date,fees_btc\n2026-06-10,0.1\n", "no hash price and no price"),
        ("date,price_usd\n2026-06-10,1\n2026-06-10,2\n", "that of row 2"),
        ("date,prize_usd\n2026-06-10,1\n", "Did you mean 'price_usd'?"),
        ("[1, 2]", "something other than records"),
        ("[]", "empty"),
        ('{"a": 1}', "not of a known shape"),
        ('{"data": [', "not JSON"),
        ('{"data": [{"asset": "btc", "time": "2026-06-10", "PriceUSD": "NaN"}]}', "no amount"),
        ('{"data": [{"asset": "eth", "time": "2026-06-10", "PriceUSD": "1"}]}', "assets=btc"),
        ('{"data": [{"asset": "btc", "time": "2026-06-10", "PriceUSD": "1", "FeeTotNtv": "1"}]}', "BlkCnt"),
        ('{"prices": [{"time": "soon", "USD": 1}]}', "no time"),
    ],
)
def test_faulty_series_are_refused_with_a_remedy(tmp_path, text, said):
    assert said in refused(written(tmp_path, text))


def test_absent_files_and_other_schemes_are_refused(tmp_path):
    assert "no such file" in refused(tmp_path / "none.csv")
    assert "no such file" in refused("ftp://example.org/a.csv")


def test_a_series_written_out_reads_back_the_same(tmp_path):
    series = mining.load_all([RECORDED / "coin_metrics.json"])
    again = mining.load_all([written(tmp_path, series.text())])
    assert again.days.tolist() == series.days.tolist()
    assert again.hashprice == pytest.approx(series.hashprice)


# Recorded answers


@pytest.mark.parametrize("name", ["coin_metrics.json", "coin_metrics.csv"])
def test_coin_metrics(name):
    series = mining.load(RECORDED / name)
    assert [str(day) for day in series.days] == ["2026-06-10", "2026-06-11", "2026-06-12"]
    assert series.price_usd[:2].tolist() == [61000.5, 61500]
    assert np.isnan(series.price_usd[2])
    assert series.fees_btc == pytest.approx([0.03, 0.02, 0.02])
    assert len(mining.completed(series).days) == 2  # a day without price has no hash price


def test_mempool_block_fees_are_averaged_over_the_day():
    series = mining.load(RECORDED / "mempool_fees.json")
    assert [str(day) for day in series.days] == ["2026-06-10", "2026-06-11"]
    assert series.fees_btc == pytest.approx([0.03, 0.025])
    assert series.price_usd == pytest.approx([61500, 61500])


def test_mempool_rewards_lose_the_subsidy():
    assert mining.load(RECORDED / "mempool_rewards.json").fees_btc == pytest.approx([0.02, 0.025])


def test_mempool_prices_and_difficulty_go_together():
    series = mining.load_all([RECORDED / "mempool_prices.json", RECORDED / "mempool_hashrate.json"])
    assert [str(day) for day in series.days] == ["2026-06-26", "2026-06-27"]  # no price on the 25th
    assert series.hashprice == pytest.approx(mining.hashprice_usd_phd(133.87e12, 3.125, 0, [59500, 59712]))


def test_the_first_source_counts_where_two_give_the_same():
    first, second = mining.load(RECORDED / "coin_metrics.json"), mining.load(RECORDED / "mempool_fees.json")
    both, turned = mining.merged([first, second]), mining.merged([second, first])
    assert both.price_usd[0] == 61000.5
    assert turned.price_usd[0] == 61500
    assert both.fees_btc[2] == turned.fees_btc[2] == 0.02


def test_a_file_with_only_the_first_page_is_refused(tmp_path):
    document = json.loads((RECORDED / "coin_metrics.json").read_text())
    document["next_page_url"] = "https://community-api.coinmetrics.io/v4/timeseries/asset-metrics?next_page_token=x"
    assert "page_size=10000" in refused(written(tmp_path, json.dumps(document), "page.json"))


# Answers over HTTP, from this machine


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler, bytes], tuple[int, str]]], str]]:
    """Starts a server on the loopback that answers as a function says; its address."""
    servers = []

    def start(answer: Callable[[BaseHTTPRequestHandler, bytes], tuple[int, str]]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                code, text = answer(self, body)
                self.send_response(code)
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_address_is_read_like_a_file_and_its_pages_followed(serve):
    document = json.loads((RECORDED / "coin_metrics.json").read_text())

    def answer(request, _):
        page = int(request.path.partition("page=")[2] or 0)
        rows = document["data"][page : page + 1]
        more = {"next_page_url": f"{address}/v4?page={page + 1}"} if page < 2 else {}
        return 200, json.dumps({"data": rows} | more)

    address = serve(answer)
    series = mining.load(f"{address}/v4?secret=1")
    assert series.days.size == 3
    assert "secret" not in series.where


def test_a_page_at_another_host_is_not_followed(serve):
    page = '{"data": [{"time": "2026-06-10", "PriceUSD": "1"}], "next_page_url": "http://127.0.0.1:9/x"}'
    assert "another host" in refused(serve(lambda *_: (200, page)))


def test_errors_of_the_web_are_said(serve):
    assert "404" in refused(serve(lambda *_: (404, "")) + "/nothing")
    assert "no answer" in refused("http://127.0.0.1:9/")
    assert "not of a known shape" in refused(serve(lambda *_: (200, "<html>hello</html>")))


def node(serve, tip: int = 953_712, user: str = "u:p") -> mining.Node:
    """A bitcoind of the recorded format: constant fees of 0.03 BTC, a retarget at block 953,568."""

    def answer(request, body):
        expected = "Basic " + base64.b64encode(user.encode()).decode()
        if request.headers.get("Authorization") != expected:
            return 401, ""
        answers = []
        for call in json.loads(body):
            result, error = {}, None
            if call["method"] == "getblockchaininfo":
                result = {"chain": "main", "blocks": tip, "pruned": False}
            elif call["method"] == "getblockstats":
                height, stats = call["params"]
                assert set(stats) == {"height", "time", "totalfee", "blockhash"}
                if height < 900_000:
                    result, error = None, {"code": -1, "message": "Undo data expected but can't be read"}
                else:
                    time = 1781395200 + 600 * (height - 953_568)
                    result = {"height": height, "time": time, "totalfee": 3_000_000, "blockhash": f"{height:064x}"}
            else:
                height = int(call["params"][0], 16)
                difficulty = 124932866006548.16 if height >= 953_568 else 138955357012247.3
                time = 1781395200 + 600 * (height - 953_568)
                result = {"height": height, "time": time, "difficulty": difficulty}
            answers.append({"result": result, "error": error, "id": call["id"]})
        return 200, json.dumps(answers[::-1])

    return mining.Node(serve(answer).replace("http://", f"http://{user}@"))


def test_a_node_gives_fees_and_difficulty(serve):
    series = mining.from_node(node(serve), days=2)
    assert [str(day) for day in series.days] == ["2026-06-13", "2026-06-14", "2026-06-15"]
    assert series.fees_btc == pytest.approx([0.03] * 3)
    assert series.difficulty[0] == 138955357012247.3
    assert series.difficulty[1] == 124932866006548.16
    assert "u:p" not in series.where
    prices = mining.series_of([date(2026, 6, 14)], "prices", price_usd=[60000])
    both = mining.completed(mining.merged([prices, series]))
    assert both.hashprice == pytest.approx(mining.hashprice_usd_phd(124932866006548.16, 3.125, 0.03, [60000]))


def test_a_node_takes_the_cookie_file_and_every_nth_block(serve, tmp_path):
    cookie = written(tmp_path, "__cookie__:abc", ".cookie")
    address = node(serve, user="__cookie__:abc").url.replace("__cookie__:abc@", "")
    assert mining.from_node(mining.Node(address, cookie=cookie), days=2, step=10).fees_btc[0] == pytest.approx(0.03)


def test_a_node_that_refuses_is_heard(serve):
    with pytest.raises(FaultyInput, match=r"pruned node lacks old blocks"):
        mining.from_node(node(serve, tip=900_001), days=2)
    wrong = node(serve)
    with pytest.raises(FaultyInput, match=r"401.*--cookie"):
        mining.from_node(mining.Node(wrong.url.replace("u:p", "u:x")), days=1)
    with pytest.raises(FaultyInput, match="server=1"):
        mining.from_node(mining.Node("http://127.0.0.1:9"), days=1)
    with pytest.raises(FaultyInput, match="below 1"):
        mining.from_node(wrong, days=0)
    with pytest.raises(FaultyInput, match="not that of a bitcoind"):
        mining.from_node(mining.Node(serve(lambda *_: (200, "hello"))), days=1)


# What a series says


def walk(years: float, volatility: float, log_drift: float, seed: int = 1) -> mining.Series:
    days = int(years * 365.25)
    steps = np.random.default_rng(seed).standard_normal(days) * volatility / np.sqrt(365.25) + log_drift / 365.25
    first = date(2015, 1, 1)
    return mining.series_of(
        [first + timedelta(n) for n in range(days)], "walk", hashprice=50 * np.exp(np.cumsum(steps))
    )


def test_volatility_and_drift_of_a_long_walk_are_found():
    found = mining.statistics(walk(80, 0.65, -0.4))
    assert found.volatility == pytest.approx(0.65, rel=0.05)
    expected = 12 * np.expm1((-0.4 + 0.65**2 / 2) / 12)
    assert found.drift == pytest.approx(expected, abs=2.5 * found.drift_error)
    assert found.drift_error == pytest.approx(0.65 / np.sqrt(80), rel=0.05)


def test_a_steady_fall_is_drift_alone():
    found = mining.statistics(walk(6, 0.0, -0.36))
    assert found.volatility == pytest.approx(0, abs=1e-9)
    assert (1 + found.drift / 12) ** 12 == pytest.approx(np.exp(-0.36))


@pytest.mark.parametrize(
    ("years", "has_volatility", "has_drift"), [(0.5, False, False), (2, True, False), (5, True, True)]
)
def test_a_short_series_tells_less(years, has_volatility, has_drift):
    found = mining.statistics(walk(years, 0.6, 0.0))
    assert (found.volatility is not None, found.drift is not None) == (has_volatility, has_drift)
    assert found.hashprice > 0


def test_gaps_do_not_count_as_quiet_days():
    """Half of the days gone, at random, leave the volatility what it was."""
    whole = walk(60, 0.65, 0.0)
    kept = np.random.default_rng(2).random(whole.days.size) < 0.5
    thin = mining.series_of(whole.days[kept], "thin", hashprice=whole.hashprice[kept])
    assert mining.statistics(thin).volatility == pytest.approx(mining.statistics(whole).volatility, rel=0.05)
