"""What CONNECT calls things: its parameters with their defaults, and the names here of what it computes."""

from typing import Any

import numpy as np

# defaults of its code, commit f24e382
DEFAULTS: dict[str, Any] = {
    "train_ratio": 0.9,
    "val_ratio": 0.01,
    "epochs": 200,
    "batchsize": 64,
    "N_hidden_layers": 4,
    "N_nodes": 512,
    "loss_function": "cosmic_variance",
    "activation_function": "alsing",
    "normalisation_method": "standardisation",
    "parameters": {},
    "extra_input": {},
    "output_Cl": ["tt"],
    "output_Pk": [],
    "k_grid": [],
    "z_Pk_list": [0.0],
    "output_bg": [],
    "z_bg_list": [],
    "output_th": [],
    "z_th_list": [],
    "extra_output": {},
    "output_derived": [],
    "N": 10000,
    "sampling": "lhc",
    "N_max_points": 10000,
    "mcmc_sampler": "cobaya",
    "initial_model": None,
    "initial_sampling": "hypersphere",
    "mcmc_tol": 0.01,
    "iter_tol": 0.1,
    "temperature": 5.0,
    "sampling_likelihoods": ["Planck_lite"],
    "prior_ranges": {},
    "bestfit_guesses": {},
    "sigma_guesses": {},
    "log_priors": [],
    "keep_first_iteration": False,
    "keep_initial_data": False,
    "resume_iterations": False,
    "extra_cobaya_lkls": {},
    "hypersphere_surface": False,
    "hypersphere_covmat": None,
    "pickle_data_file": None,
    "jobname": None,
    "save_name": None,
    "overwrite_model": False,
    "max_time_for_theory": 200,
}
OLD = {"N_initial": "N", "N_max_lines": "N_max_points"}  # names in the parameter files of the paper
DESIGNS = {"lhc": "latin_hypercube", "hypersphere": "hypersphere"}
ACTIVATIONS = {name: name for name in ("alsing", "nygaard", "relu", "tanh", "elu", "softplus")}
ACTIVATIONS |= {"silu": "silu", "swish": "silu"}
LOSSES = {"cosmic_variance": "cosmic_variance", "mse": "mean_square", "mean_squared_error": "mean_square"}
NORMALISATIONS = {"standardisation": "standardisation", "min-max": "min_max", "log": "double_log"}
LIKELIHOODS = {
    "Planck_lite": "planck_2018_lite",
    "Planck_highl_TTTEEE_lite": "planck_2018_lite",
    "Planck_lowl_TT": "planck_2018_lowl_tt",
    "Planck_lowl_EE": "planck_2018_lowl_ee",
}
SPECTRA = {name: name for name in ("tt", "te", "ee", "bb", "pp", "tp")}
# methods of classy -> outputs here, without and with a non-linear method among the inputs
_LINEAR = {"pk_lin": "pk_lin", "pk_cb_lin": "pk_lin_cb"}
POWER = ({**_LINEAR, "pk": "pk_lin", "pk_cb": "pk_lin_cb"}, {**_LINEAR, "pk": "pk_nl", "pk_cb": "pk_nl_cb"})
# columns of classy's get_background and get_thermodynamics
BACKGROUND = {
    "H [1/Mpc]": "H",
    "ang.diam.dist.": "D_A",
    "lum. dist.": "D_L",
    "comov. dist.": "comoving_distance",
    "proper time [Gyr]": "time",
    "conf. time [Mpc]": "conformal_time",
    "comov.snd.hrz.": "sound_horizon",
    "gr.fac. D": "D",
    "gr.fac. f": "f",
    "(.)w_fld": "w_fld",
    **{
        f"(.)rho_{name}": f"rho_{name}"
        for name in ("crit", "tot", "g", "b", "cdm", "ur", "lambda", "fld", "dcdm", "dr")
    },
}
THERMODYNAMICS = {
    "x_e": "x_e",
    "g [Mpc^-1]": "visibility",
    "exp(-kappa)": "exp_m_kappa",
    "kappa' [Mpc^-1]": "kappa_prime",
    "c_b^2": "c_b2",
    "Tb [K]": "T_b",
    "w_b": "w_b",
}
# chain files cannot hold a *
RENAMED = {"100*theta_s": "theta_s_100", "100*theta_star": "theta_star_100"}
# code in extra_output that is nothing but a derived parameter
CODE = {
    f"cosmo.{method}()": name
    for method, name in {
        "rs_drag": "rs_drag",
        "sigma8": "sigma8",
        "S8": "S8",
        "age": "age",
        "Neff": "Neff",
        "Omega_m": "Omega_m",
        "h": "h",
    }.items()
}
# its wavenumbers, where the file gives none: logarithmic pieces in h/Mpc, at h = 0.67556
_PIECES = ((5e-6, 5e-5, 15), (1e-4, 0.008, 8), (0.009, 0.75, 60), (0.76, 5.0, 17))
K_GRID = tuple(
    float(f"{0.67556 * k:.6g}") for first, last, number in _PIECES for k in np.geomspace(first, last, number)
)
_ITERATIONS = "for iterations only"
DROPPED = {
    "N_max_points": _ITERATIONS,
    "mcmc_sampler": "sampler: nuts, or ensemble, samples the emulator",
    "initial_model": "no networks of CONNECT are read",
    "initial_sampling": _ITERATIONS,
    "mcmc_tol": _ITERATIONS,
    "iter_tol": _ITERATIONS,
    "temperature": _ITERATIONS,
    "sampling_likelihoods": "for iterations only; a likelihood is asked of the emulator later",
    "keep_first_iteration": _ITERATIONS,
    "keep_initial_data": _ITERATIONS,
    "resume_iterations": "the same command again always resumes",
    "extra_cobaya_lkls": "likelihoods of Cobaya are not read; run the emulator inside Cobaya instead",
    "hypersphere_surface": "points fill the ball; there are none on its surface alone",
    "hypersphere_covmat": "the ball lies in the box of the priors",
    "pickle_data_file": "points are not read from pickles",
    "save_name": "the emulator is emulator.safetensors in the run folder",
    "overwrite_model": "a run folder is resumed, and never overwritten",
}
