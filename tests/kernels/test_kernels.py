"""The compiled kernels against their twins, to the last bit."""

import os
import subprocess
import sys

import numpy as np
import pytest

from ogas.kernels import certify, csr, reference, sweep

SEED = 90271
ROWS = {
    "one product": [1],
    "one product without inputs": [0],
    "empty rows first, last and between": [0, 3, 0, 0, 5, 1, 0],
    "around one chunk": [127, 128, 129, 0, 1],
    "around two chunks": [255, 256, 257],
    "hubs": [300, 2, 1000, 0, 640, 641, 17],
    "odd size": list(range(23)),
}
COMPILED = (
    csr.product,
    csr.residual,
    csr.share_memory,
    sweep.jacobi,
    sweep.gauss_seidel,
    certify.certificate_pass,
    certify.up,
    certify.down,
)


class Arrays:
    """Everything a kernel takes; empty rows follow, so that the longest row fits the columns."""

    def __init__(self, lengths, index_type):
        draw = np.random.default_rng(SEED)
        self.n = n = max(*lengths, len(lengths))
        lengths = [*lengths, *[0] * (n - len(lengths))]
        picks = [np.sort(draw.choice(n, k, replace=False)) for k in lengths]
        entries = sum(lengths)
        self.csr = (
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate(picks).astype(index_type),
            draw.normal(size=entries) * 10.0 ** draw.integers(-8, 9, entries),
        )
        self.diagonal = draw.uniform(-0.5, 0.9, n)
        self.x, self.f, self.f_lower, self.f_upper = draw.normal(size=(4, n))
        self.w = draw.lognormal(size=n)
        self.order = draw.permutation(n)

    def outputs(self, count):
        return [np.full(self.n, 7.5) for _ in range(count)]


@pytest.fixture(params=ROWS)
def lengths(request):
    return ROWS[request.param]


@pytest.fixture(params=[np.int32, np.int64], ids=["int32", "int64"])
def arrays(request, lengths):
    return Arrays(lengths, request.param)


def same_bits(ours, twins):
    return [array.tobytes() for array in ours] == [array.tobytes() for array in twins]


def test_products_and_residuals_are_those_of_the_twin_to_the_last_bit(arrays):
    results = []
    for kernels in (csr, reference):
        product, residual = arrays.outputs(2)
        kernels.product(*arrays.csr, arrays.x, product)
        kernels.residual(*arrays.csr, arrays.x, arrays.f, residual)
        results.append([product, residual])
    assert same_bits(*results)


@pytest.mark.parametrize(("floor", "leeway"), [(1e-30, 1e-12), (0.5, 1e-12), (1e-30, 0.75)])
def test_a_jacobi_sweep_is_that_of_the_twin_to_the_last_bit(arrays, floor, leeway):
    head = (*arrays.csr, arrays.diagonal, arrays.f, floor, leeway, arrays.x, arrays.w)
    ours, twins = arrays.outputs(3), arrays.outputs(3)
    assert sweep.jacobi(*head, *ours) == reference.jacobi(*head, *twins)
    assert same_bits(ours, twins)


def test_a_gauss_seidel_sweep_is_that_of_the_twin_to_the_last_bit(arrays):
    results = []
    for kernels in (sweep, reference):
        x, w, turnover = arrays.x.copy(), arrays.w.copy(), arrays.outputs(1)[0]
        extremes = kernels.gauss_seidel(
            *(*arrays.csr, arrays.diagonal, arrays.f, 1e-30, 0.75, arrays.order, x, w, turnover)
        )
        results.append((extremes, x.tobytes(), w.tobytes(), turnover.tobytes()))
    assert results[0] == results[1]


@pytest.mark.parametrize("delta", [0.0, 2.0**-24, 1e-3])
def test_a_certificate_pass_is_that_of_the_twin_to_the_last_bit(arrays, delta):
    results = []
    for kernels in (certify, reference):
        outputs = arrays.outputs(5)
        kernels.certificate_pass(
            *(*arrays.csr, arrays.x, arrays.w, arrays.f_lower, arrays.f_upper, delta), *outputs
        )
        results.append(outputs)
    assert same_bits(*results)


@pytest.mark.parametrize("number", [0.0, 1.0, -3.5, 5e-324, -1e-300, 1e308])
def test_rounding_outwards_is_that_of_the_twin(number):
    assert certify.up(number) == reference.up(number) > number
    assert certify.down(number) == reference.down(number) < number


@pytest.mark.parametrize("kernels", [csr, reference], ids=["compiled", "twin"])
@pytest.mark.parametrize("shift", [0, 1, 6])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_product_into_its_own_operand_is_refused_however_they_overlap(kernels, shift, swapped):
    arrays = Arrays([1] * 7, np.int32)
    memory = np.zeros(7 + shift)
    x, out = (memory[:7], memory[shift:])[:: -1 if swapped else 1]
    with pytest.raises(ValueError, match="shares memory"):
        kernels.product(*arrays.csr, x, out)
    with pytest.raises(ValueError, match="shares memory"):
        kernels.residual(*arrays.csr, x, arrays.f, out)


@pytest.mark.parametrize("kernels", [sweep, reference], ids=["compiled", "twin"])
@pytest.mark.parametrize("output", ["x_out", "w_out"])
@pytest.mark.parametrize("given", ["x", "w"])
@pytest.mark.parametrize("shift", [0, 3])
def test_a_jacobi_sweep_into_what_it_reads_is_refused(kernels, output, given, shift):
    arrays = Arrays([1] * 7, np.int32)
    vectors = {name: np.zeros(7) for name in ("x", "w", "x_out", "w_out", "turnover")}
    memory = np.zeros(7 + shift)
    vectors[given], vectors[output] = memory[:7], memory[shift:]
    with pytest.raises(ValueError, match="shares memory"):
        kernels.jacobi(*arrays.csr, arrays.diagonal, arrays.f, 1e-30, 1e-12, *vectors.values())


def test_neighbours_in_one_buffer_do_not_overlap():
    memory = np.zeros(10)
    assert not csr.share_memory(memory[:5], memory[5:])
    assert not csr.share_memory(memory[5:], memory[:5])


@pytest.mark.parametrize("kernel", COMPILED, ids=lambda kernel: kernel.__name__)
def test_kernels_release_the_lock_and_compile_nothing_new(kernel):
    assert kernel.compiled.targetoptions["nogil"]
    assert not kernel.compiled.targetoptions.get("fastmath")


@pytest.mark.parametrize("wrong", ["data", "x", "indptr", "strided"])
def test_arrays_of_another_type_or_layout_are_a_type_error(wrong):
    arrays = Arrays([2, 2, 2, 2], np.int32)
    given = dict(zip(("indptr", "indices", "data"), arrays.csr, strict=True))
    given |= {"x": arrays.x, "out": np.zeros(4)}
    if wrong == "strided":
        given["x"] = np.zeros(8)[::2]
    else:
        given[wrong] = given[wrong].astype(np.int32 if wrong == "indptr" else np.float32)
    with pytest.raises(TypeError, match="No matching definition"):
        csr.product(*given.values())


def test_where_nothing_may_be_written_kernels_are_compiled_all_the_same():
    """Numba finds no place for its cache, as in a read-only container without a home."""
    code = "import numpy as np; from ogas.kernels import certify; print(certify.up(1.0) > 1.0)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr
