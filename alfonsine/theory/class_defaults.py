"""What CLASS takes where it is told nothing: `input_default_params` of its `source/input.c`, since version 3.0.

Only what a cosmology is made of, and only what does not change between these versions: N_ur for instance did.
"""

NUMBERS = {
    "T_cmb": 2.7255,  # K
    "Omega_k": 0.0,
    "N_ncdm": 0.0,
    "T_ncdm": 0.71611,
    "deg_ncdm": 1.0,
    "ksi_ncdm": 0.0,
    "k_pivot": 0.05,  # 1/Mpc
    "alpha_s": 0.0,
    "beta_s": 0.0,
    "w0_fld": -1.0,
    "wa_fld": 0.0,
    "cs2_fld": 1.0,
    "Omega_idm": 0.0,
    "Omega_scf": 0.0,
    "reionization_exponent": 1.5,
    "reionization_width": 0.5,
    "helium_fullreio_redshift": 3.5,
    "helium_fullreio_width": 0.5,
    "A_L": 1.0,
}
WORDS = {
    "YHe": "BBN",
    "modes": "s",
    "ic": "ad",
    "gauge": "synchronous",
    "P_k_ini_type": "analytic_Pk",
    "reio_parametrization": "reio_camb",
    "fluid_equation_of_state": "CLP",
    "use_ppf": "yes",
    "non_linear": "none",
    "compute_damping_scale": "no",
}
