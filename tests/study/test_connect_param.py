"""Parameter files of CONNECT become studies: everything is translated or named, and nothing is executed."""

import math

import numpy as np
import pytest
import yaml

from alfonsine.errors import InputError
from alfonsine.study.connect_names import DEFAULTS, K_GRID
from alfonsine.study.connect_param import translate, write_study
from alfonsine.study.parameters import parameter_space, parameters
from alfonsine.study.read import read_yaml
from alfonsine.study.settings import settings_from

BOX = "parameters = {'omega_b': [0.014, 0.039], 'H0': [30, 120], 'Gamma_dcdm': [10, 5000]}\n"
DESIGN = BOX + "N = 1e+4\nsampling = 'hypersphere'\n"
LOOP = BOX + "sampling = 'iterative'\noutput_Cl = ['tt', 'te', 'ee']\n"


@pytest.fixture
def study(tmp_path):
    """Text of a parameter file -> settings of the study, and its head."""

    def translated(text):
        path = tmp_path / "my.param"
        path.write_text(text)
        output = tmp_path / "my.yaml"
        write_study(path, output)
        written = output.read_text()
        assert written == translate(path)
        head = [line for line in written.splitlines() if line.startswith("#")]
        return settings_from(*read_yaml(output)), "\n".join(head)

    return translated


def test_a_design(study):
    settings, head = study(DESIGN)
    assert settings.design.kind == "hypersphere" and settings.design.number == 10_000
    assert settings.likelihood == {} and settings.output == "runs/my"
    space = parameter_space(settings)
    assert space.names == ("omega_b", "H0", "Gamma_dcdm")
    np.testing.assert_array_equal(space.lower, [0.014, 30, 10])
    np.testing.assert_array_equal(space.upper, [0.039, 120, 5000])
    assert settings.theory.settings.spectra == ("tt",)
    assert "nothing" in head


def test_the_network_is_that_of_the_file_or_of_connects_defaults(study):
    settings, _ = study(DESIGN)
    options = settings.emulator.options
    assert settings.emulator.preset == "connect"
    wanted = {"layers": 4, "units": 512, "epochs": 200, "batch": 64, "activation": "alsing"}
    wanted |= {"loss": "cosmic_variance", "normalisation": "standardisation", "fractions": [0.89, 0.01, 0.1]}
    assert options == wanted
    settings, head = study(
        DESIGN + "train_ratio=0.95\nval_ratio=.05\nepochs=2*50\nbatchsize=512\nN_hidden_layers=6\nN_nodes=128\n"
        "loss_function='mse'\nactivation_function='swish'\nnormalisation_method='factor'\n"
    )
    options = settings.emulator.options
    assert (options["layers"], options["units"], options["epochs"], options["batch"]) == (6, 128, 100, 512)
    assert options["fractions"] == pytest.approx([0.9, 0.05, 0.05])
    assert (options["loss"], options["activation"]) == ("mean_square", "silu")
    assert "normalisation" not in options and "normalisation_method: 'factor' has no counterpart" in head


def test_the_options_are_those_of_the_preset(study):
    from alfonsine.study.preset import recipe

    settings, _ = study(DESIGN + "N_hidden_layers = 6\n")
    preset = recipe(settings.emulator, settings.source.folder)
    assert (preset.layers, preset.fractions) == (6, (0.89, 0.01, 0.1))


def test_a_posterior(study):
    settings, head = study(
        LOOP + "prior_ranges = {'H0': [None, 90], 'omega_b': ['None', 1.0]}\nbestfit_guesses = {'H0': 67.0}\n"
        "sigma_guesses = {'H0': 1.5}\ntemperature = 3.0\nN = 10**4\nmcmc_tol = 0.01\nepochs = 300\n"
        "output_derived = ['sigma8', '100*theta_s', 'H0', 'odd']\nmax_time_for_theory = 60\njobname = 'mine'\n"
    )
    assert list(settings.likelihood) == ["planck_2018_lite"] and settings.design is None
    space = parameter_space(settings)
    i = space.names.index("H0")
    assert (space.lower[i], space.upper[i], space.reference[i], space.step[i]) == (30, 90, 67, 1.5)
    assert "A_planck" in space.names
    assert settings.compute.timeout == 60 and settings.output == "runs/mine"
    assert parameters(settings).asked == ("sigma8", "theta_s_100")
    for told in (
        "100*theta_s: called theta_s_100",
        "'odd' is not among",
        "prior_ranges: of 'omega_b' reaches beyond",
    ):
        assert told in head


def test_iterations(study):
    """Every number of them, as in the file and as CONNECT has it where the file says nothing."""
    settings, head = study(
        LOOP + "temperature = [20, 5]\nN = 400\nmcmc_tol = 0.02\niter_tol = 0.05\nN_max_points = 10**3\n"
        "keep_first_iteration = True\nkeep_initial_data = True\ninitial_sampling = 'lhc'\nepochs = 300\n"
    )
    found = settings.points.iterative
    assert found.temperature == (20, 5) and (found.initial, found.first, found.samples_from) == (400, 1000, 1000)
    assert (found.mcmc_tolerance, found.iteration_tolerance, found.design) == (0.02, 0.05, "latin_hypercube")
    assert found.keep_first_iteration and found.keep_initial
    assert settings.accuracy.calls == 400 + 1000 + 4 * 1000 + settings.accuracy.judging
    assert settings.emulator.preset == "connect" and settings.emulator.options["epochs"] == 300
    assert "accuracy: a budget" in head
    found = study(LOOP + "temperature = 5\n")[0].points.iterative
    assert found.temperature == (5,) and (found.initial, found.first, found.samples_from) == (10_000, 5000, 10_000)
    assert (found.mcmc_tolerance, found.iteration_tolerance, found.design) == (0.01, 0.1, "hypersphere")
    assert not found.keep_first_iteration and not found.keep_initial


def test_logarithmic_priors_sample_the_logarithm(study):
    settings, _ = study(
        LOOP + "log_priors = ['Gamma_dcdm']\nbestfit_guesses = {'Gamma_dcdm': 35}\nsigma_guesses = {'Gamma_dcdm': 7}"
    )
    space, roles = parameter_space(settings), parameters(settings)
    i = space.names.index("log10_Gamma_dcdm")
    assert space.lower[i] == 1 and space.upper[i] == pytest.approx(math.log10(5000))
    assert space.reference[i] == pytest.approx(math.log10(35))
    assert space.step[i] == pytest.approx(7 / 35 / math.log(10))
    inputs = roles.theory_inputs({"omega_b": 0.02, "H0": 70.0, "log10_Gamma_dcdm": 2.0, "A_planck": 1.0})
    assert inputs["Gamma_dcdm"] == pytest.approx(100) and "log10_Gamma_dcdm" not in inputs


def test_likelihoods(study):
    settings, _ = study(
        LOOP + "sampling_likelihoods = ['Planck_highl_TTTEEE_lite', 'Planck_lowl_TT', 'Planck_lowl_EE']"
    )
    assert list(settings.likelihood) == ["planck_2018_lite", "planck_2018_lowl_tt", "planck_2018_lowl_ee"]
    settings, _ = study(LOOP + "sampling_likelihoods = ['Planck_lowl_EE']")
    assert "A_planck" not in settings.params


def test_outputs(study):
    text = (
        "output_Cl = ['tt', 'pp', 'xy']\noutput_Pk = ['pk', 'pk_cb', 'pk_lin', 'pk_odd']\n"
        "z_Pk_list = [0.0, 13.65, 1.5]\n"
        "output_bg = ['ang.diam.dist.', 'conf. time [Mpc]', 'H [1/Mpc]']\nz_bg_list = [0.35, 0.57, 0.106]\n"
        "output_th = ['w_b', 'tau_d']\nextra_output = {'rs_drag': 'cosmo.rs_drag()', 'f': 'cosmo.anything()[0]'}\n"
        "extra_input = {'k_pivot': 0.05, 'N_ncdm': 1, 'output': 'tCl', 'l_max_scalars': 3000}\n"
    )
    settings, head = study(DESIGN + text)
    code = settings.theory.settings
    assert code.spectra == ("tt", "pp") and code.l_max == 3000 and code.extra_args == {"k_pivot": 0.05, "N_ncdm": 1}
    assert code.matter_power.outputs == ("pk_lin", "pk_lin_cb") and code.matter_power.z.values == (0, 1.5, 13.65)
    assert code.matter_power.k.values == K_GRID and len(K_GRID) == 100
    assert code.background.outputs == ("D_A", "conformal_time", "H")
    assert code.background.z.values == (0.106, 0.35, 0.57)
    assert code.thermodynamics.outputs == ("w_b",)
    assert settings.params["rs_drag"].derived is True and "f" not in settings.params
    for told in ("'xy'", "'pk_odd'", "'tau_d'", "'f' is code", "km/s/Mpc", "'output' follows", "z_th_list: absent"):
        assert told in head
    settings, _ = study(
        DESIGN + "output_Pk = ['pk', 'pk_lin']\nextra_input = {'non linear': 'halofit'}\nk_grid = [1, .1]"
    )
    assert settings.theory.settings.matter_power.outputs == ("pk_nl", "pk_lin")
    assert settings.theory.settings.matter_power.k.values == (0.1, 1)


def test_the_default_wavenumbers_are_connects():
    """Four logarithmic pieces, as in its code; 5e-6 and 5 h/Mpc are the ends."""
    assert K_GRID[0] == pytest.approx(5e-6 * 0.67556, rel=1e-5)
    assert K_GRID[-1] == pytest.approx(5 * 0.67556, rel=1e-5)
    assert np.all(np.diff(K_GRID) > 0)


@pytest.mark.parametrize("sampling", ["lhc", "hypersphere", "iterative"])
def test_no_key_is_lost(sampling, study):
    """Every key of CONNECT, given with a value of its kind: it shows in the study or at its head."""
    values = dict(DEFAULTS)
    values |= {"parameters": {"omega_b": [0.014, 0.039]}, "sampling": sampling, "jobname": "j", "save_name": "s"}
    values |= {"prior_ranges": {"omega_b": [0.0141, 0.04]}, "bestfit_guesses": {"omega_b": 0.02}}
    values |= {"sigma_guesses": {"omega_b": 1e-3}, "log_priors": ["omega_b"], "extra_input": {"N_ur": 2.0}}
    values |= {"k_grid": [0.1, 1.0], "output_Pk": ["pk"], "output_bg": ["H [1/Mpc]"], "z_bg_list": [0.0, 1.0]}
    values |= {"output_th": ["x_e"], "z_th_list": [1000.0], "output_derived": ["sigma8"]}
    values |= {"extra_output": {"a": "b"}, "initial_model": "m", "hypersphere_covmat": "c", "pickle_data_file": "p"}
    values |= {"keep_first_iteration": True, "extra_cobaya_lkls": {"a": {}}}
    settings, head = study("\n".join(f"{name} = {value!r}" for name, value in values.items()))
    shown = {
        *("parameters", "sampling", "jobname", "bestfit_guesses", "sigma_guesses", "log_priors", "extra_input"),
        *("output_Cl", "k_grid", "z_Pk_list", "z_bg_list", "output_th", "z_th_list", "output_derived"),
        "max_time_for_theory",
    }
    shown |= {"N"}
    network = {"train_ratio", "val_ratio", "epochs", "batchsize", "N_hidden_layers", "N_nodes", "loss_function"}
    network |= {"activation_function", "normalisation_method"}
    shown |= network
    if sampling == "iterative":
        shown |= {"temperature", "sampling_likelihoods", "N_max_points", "mcmc_tol", "iter_tol", "initial_sampling"}
        shown |= {"keep_first_iteration", "keep_initial_data"}
    told = {line[1:].split(":")[0].strip() for line in head.splitlines()[1:]}
    assert {name for name in values if name not in told} <= shown
    assert shown - told, settings


def test_names_in_the_papers_own_files_are_known(study):
    settings, head = study(
        BOX + "N_initial = 10**4\nN_max_lines = 20000\nprior_ranges = parameters\ninitial_model = None"
    )
    assert settings.design.number == 10_000
    assert "N_initial: today's CONNECT calls it N" in head


def test_the_study_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "my.param"
    path.write_text("parameters = {}")
    with pytest.raises(InputError, match=r"my\.param:1: expected parameters"):
        write_study(path, tmp_path / "my.yaml")
    path.write_text(DESIGN)
    with pytest.raises(InputError, match="folder that exists"):
        write_study(path, tmp_path / "no" / "my.yaml")
    assert [p.name for p in tmp_path.iterdir()] == ["my.param"]


def test_words_of_the_file_cannot_become_yaml_of_their_own(study):
    settings, head = study(BOX + "jobname = 'a: {b}'\noutput_derived = ['x\\\\ny', '- seed: 5']\n")
    assert settings.output == "runs/a: {b}" and settings.seed == 1
    assert yaml.safe_load(head) is None
