"""Matrix games against closed forms and both guarantees, rules of play against eigenvalues."""

import math

import pytest
import torch
from torch.testing import assert_close

from ganlib.games import RULES, eigenvalues, field, play, smallest_gan, solve
from ganlib.losses import value

f64 = torch.float64


def bilinear(x, y):
    return x * y


def guarantees(payoff, game):
    """What the row player's mix gets at least, and what the column player's mix pays at most."""
    A = torch.as_tensor(payoff, dtype=f64)
    return float((game.row @ A).min()), float((A @ game.column).max())


@pytest.mark.parametrize(
    "payoff, value, row, column",
    [
        # rock, paper, scissors
        ([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], 0, [1 / 3] * 3, [1 / 3] * 3),
        ([[1, -1], [-1, 1]], 0, [0.5, 0.5], [0.5, 0.5]),  # matching pennies
        ([[3, 1, 4], [2, 0, 3], [1, 1, 5]], 1, None, [0, 1, 0]),  # a dominated row, two best rows
        ([[2, 5], [1, 7]], 2, [1, 0], [1, 0]),  # a saddle in pure strategies
        ([[7]], 7, [1], [1]),
        ([[3, 1, 2]], 1, [1], [0, 1, 0]),
        ([[3], [1]], 3, [1, 0], [1]),
    ],
)
def test_known_games(payoff, value, row, column):
    game = solve(payoff)
    assert game.value == pytest.approx(value, abs=1e-12)
    assert_close(game.column, torch.tensor(column, dtype=f64))
    if row is not None:
        assert_close(game.row, torch.tensor(row, dtype=f64))


def test_two_by_two_formula():
    # Without a saddle in pure strategies:
    # v = (ad − bc)/(a + d − b − c), p = (d − c)/(…), q = (d − b)/(…).
    g = torch.Generator().manual_seed(0)
    seen = 0
    for A in torch.randn(200, 2, 2, generator=g, dtype=f64):
        (a, b), (c, d) = A
        game = solve(A)
        low = A.min(1).values.max()
        if low >= A.max(0).values.min():
            assert game.value == pytest.approx(float(low))
            continue

        seen += 1
        n = a + d - b - c
        assert game.value == pytest.approx(float((a * d - b * c) / n))
        assert_close(game.row[0], (d - c) / n)
        assert_close(game.column[0], (d - b) / n)
    assert 40 < seen < 160


def test_guarantees_agree_on_a_thousand_random_games():
    g = torch.Generator().manual_seed(1)
    for _ in range(1000):
        rows, columns = torch.randint(1, 21, (2,), generator=g).tolist()
        A = torch.randn(rows, columns, generator=g, dtype=f64)
        game = solve(A)
        low, high = guarantees(A, game)
        assert low == pytest.approx(high, abs=1e-8)
        assert low - 1e-8 <= game.value <= high + 1e-8
        for p in (game.row, game.column):
            assert float(p.min()) >= 0
            assert float(p.sum()) == pytest.approx(1, abs=1e-12)


DEGENERATE = {
    "constant": lambda A: torch.full_like(A, 3),
    "zeros and ones": lambda A: (A > 0).to(f64),
    "twins": lambda A: A[:1] + 1e-9 * A,
    "huge": lambda A: 1e9 + A,
    "tiny": lambda A: 1e-12 * A,
    "many orders": lambda A: (4 * A).exp(),
}


@pytest.mark.parametrize("kind", DEGENERATE)
def test_degenerate_games(kind):
    g = torch.Generator().manual_seed(2)
    A = DEGENERATE[kind](torch.randn(7, 9, generator=g, dtype=f64))
    low, high = guarantees(A, solve(A))
    assert low == pytest.approx(high, rel=1e-8, abs=1e-20)


def test_shifting_and_scaling_payoffs_changes_only_the_value():
    A = torch.randn(4, 4, generator=torch.Generator().manual_seed(3), dtype=f64)
    one = solve(A)
    two = solve(5 + 3 * A)
    assert two.value == pytest.approx(5 + 3 * one.value)
    assert_close(two.row, one.row)
    assert solve(-A.T).value == pytest.approx(-one.value)  # the players change chairs


@pytest.mark.parametrize(
    "payoff", [[], [[]], [[1, 2], [3]], [[1, math.nan]], [[math.inf]], [1, 2], "pizza", None]
)
def test_bad_payoffs_are_refused(payoff):
    with pytest.raises(ValueError, match="payoff must be rows of equally many finite numbers, got"):
        solve(payoff)


@pytest.mark.parametrize("lr", [0.01, 0.1, 0.5, 1.0, 3.0])
def test_simultaneous_play_on_xy_grows_by_exactly_the_root_of_one_plus_lr_squared(lr):
    radius = play(bilinear, [0.6, -0.8], "simultaneous", lr=lr, steps=20).norm(dim=1)
    here = radius[1:].isfinite()  # before it leaves for infinity
    growth = (radius[1:] / radius[:-1])[here]
    assert_close(growth, torch.full_like(growth, math.hypot(1, lr)), rtol=1e-13, atol=0)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("lr", [0.05, 0.3, 0.45, 0.7, 1.3])
def test_predicted_eigenvalue_is_the_leading_one_of_the_step(rule, lr):
    predicted = RULES[rule].on_xy(lr)
    found = eigenvalues(bilinear, [0, 0], rule, lr=lr)
    assert float((found - predicted).abs().min()) < 1e-12
    assert float(found[0].abs()) == pytest.approx(abs(predicted), abs=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_predicted_eigenvalue_is_what_a_path_does(rule):
    # λ and its conjugate carry the path: w₂ = 2 Re λ w₁ − |λ|² w₀, up to what the smaller
    # eigenvalues leave.
    lr = 0.3
    path = play(bilinear, [1.0, 0.5], rule, lr=lr, steps=80)
    before, now, after = path[-3:]
    both = torch.stack([now, before], 1)
    a, b = torch.linalg.solve(both, after[:, None]).flatten().tolist()  # after = a now + b before
    measured = complex(a / 2, math.sqrt(-b - a * a / 4))
    assert measured == pytest.approx(RULES[rule].on_xy(lr), abs=1e-10)


def test_alternating_orbits_and_three_rules_come_home():
    end = {}
    for rule in RULES:
        path = play(bilinear, [1.0, 0.0], rule, lr=0.3, steps=400)
        end[rule] = float(path[-1].norm())
    assert math.isnan(end["simultaneous"])
    assert 0.8 < end["alternating"] < 1.25
    assert max(end[rule] for rule in ("extragradient", "optimistic", "consensus")) < 1e-6


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_follows_the_field_for_small_rates(rule):
    def V(x, y):
        return 0.3 * x**2 + x * y - 0.2 * y**4

    start = torch.tensor([0.7, -0.4], dtype=f64)
    x, y = start.tolist()
    by_hand = torch.tensor([-(0.6 * x + y), x - 0.8 * y**3], dtype=f64)
    assert_close(field(V)(start).detach(), by_hand)

    if rule == "consensus":  # F − ½∇‖F‖², with ∇½‖F‖² = JᵀF
        J = torch.tensor([[-0.6, -1], [1, -2.4 * y**2]], dtype=f64)
        by_hand = by_hand - J.T @ by_hand
    step = (play(V, start, rule, lr=1e-7, steps=1)[1] - start) / 1e-7
    assert_close(step, by_hand, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_many_games_at_once_are_the_same_games(rule):
    starts = torch.randn(5, 2, generator=torch.Generator().manual_seed(4), dtype=f64)
    together = play(smallest_gan(0.5), starts, rule, lr=0.2, steps=30)
    assert together.shape == (31, 5, 2)
    assert_close(together[:, 3], play(smallest_gan(0.5), starts[3], rule, lr=0.2, steps=30))


def test_a_path_that_leaves_is_marked_and_the_others_go_on():
    path = play(bilinear, [[1.0, 0.0], [0.0, 0.0]], "simultaneous", lr=5.0, steps=40)
    leaves = path[:, 0]
    stays = path[:, 1]
    gone = leaves.isnan().any(1)
    assert gone[-1]
    assert not gone[0]
    assert bool(gone.diff(prepend=gone[:1]).sum() == 1)  # once gone, gone
    assert bool((leaves[~gone].abs() <= 1e6).all())
    assert bool((stays == 0).all())


def test_a_value_that_does_not_care_leaves_the_players_where_they_are():
    path = play(lambda x, y: torch.zeros_like(x), [1.0, 2.0], "consensus", lr=0.1, steps=3)
    assert_close(path, torch.tensor([1.0, 2.0], dtype=f64).expand(4, 2))


@pytest.mark.parametrize(
    "change, words",
    [
        ({"rule": "newton"}, "rule must be one of simultaneous"),
        ({"lr": 0}, "lr must be a positive number"),
        ({"lr": -1.0}, "got -1.0"),
        ({"lr": math.nan}, "got nan"),
        ({"steps": -1}, "steps must be a whole number from 0 .*, got -1"),
        ({"steps": 2.5}, "got 2.5"),
        ({"start": [1.0]}, r"shape \(\.\.\., 2\)"),
        ({"start": [math.nan, 0]}, "start must be finite"),
        ({"limit": 0}, "limit must be a positive number"),
        ({"value": 3}, "value must be a function, got 3"),
        ({"value": lambda x, y: 0.5}, "value must be a function .* gives a tensor, got 0.5"),
    ],
)
def test_bad_play_is_refused(change, words):
    asked = {"value": bilinear, "start": [1.0, 0.0], "rule": "simultaneous", "lr": 0.1, "steps": 3}
    with pytest.raises(ValueError, match=words):
        play(**{**asked, **change})


@pytest.mark.parametrize(
    "change, words",
    [
        ({"point": [[0, 0]]}, r"point must be two numbers, got shape \(1, 2\)"),
        ({"rule": "newton"}, "rule must be one of simultaneous"),
        ({"lr": 0}, "lr must be a positive number"),
        ({"value": lambda x, y: x.abs().sqrt() * y}, "value must have finite slopes at the point"),
    ],
)
def test_a_rest_point_that_is_none_is_refused(change, words):
    asked = {"value": bilinear, "point": [0, 0], "rule": "simultaneous", "lr": 0.1}
    with pytest.raises(ValueError, match=words):
        eigenvalues(**{**asked, **change})


def test_payoffs_and_spreads_that_no_game_has_are_refused():
    with pytest.raises(ValueError, match=r"payoff must be numbers of at most 1e\+300, got 1e\+301"):
        solve([[1e301, 0.0]])
    with pytest.raises(ValueError, match="spread must be at least 0, got -1"):
        smallest_gan(-1)


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_the_smallest_gan_is_a_gan(spread):
    # V against losses.value on 100,000 stratified z, and where D is blind against −log 4.
    z = spread * torch.special.ndtri((torch.arange(10**5, dtype=f64) + 0.5) / 10**5)
    θ = torch.tensor(0.8, dtype=f64)
    w = torch.tensor(-1.2, dtype=f64)
    assert_close(smallest_gan(spread)(θ, w), value(w * z, w * (z + θ)), rtol=1e-5, atol=1e-6)
    assert_close(smallest_gan(spread)(θ, 0 * w), torch.tensor(-math.log(4), dtype=f64))


@pytest.mark.parametrize(
    "spread, lr", [(0.0, 0.3), (0.5, 0.2), (0.5, 0.5), (0.5, 0.8), (1.0, 0.5), (1.0, 2.5)]
)
def test_the_smallest_gan_comes_home_when_the_rate_is_below_twice_the_variance(spread, lr):
    # At rest F is linear with μ = −σ²/4 ± √(σ⁴/16 − ¼), so that, for σ < √2,
    # |1 + lr μ|² = 1 − lr σ²/2 + lr²/4.
    by_hand = math.sqrt(1 - lr * spread**2 / 2 + lr**2 / 4)
    found = eigenvalues(smallest_gan(spread), [0, 0], "simultaneous", lr=lr)
    assert float(found[0].abs()) == pytest.approx(by_hand)
    assert (by_hand < 1 - 1e-12) == (lr < 2 * spread**2)
