"""Which of CLASS's answers are which of ours: names, units, and what CLASS computes without perturbations."""

from math import pi

LIGHT = 299792.458  # km/s
# name in `get_current_derived_parameters` -> ours, where that is not the same, and the factor, made of numbers
OTHER_NAMES = {"Omega0_lambda": "Omega_Lambda", "Omega0_m": "Omega_m", "Omega0_k": "Omega_k", "Omega0_cdm": "Omega_cdm"}
# what `get_current_derived_parameters` reads off background and thermodynamics, and may be asked of the real CLASS
BACKGROUND = {"h", "H0", "Omega0_lambda", "Omega_Lambda", "Omega0_fld", "age", "conformal_age", "m_ncdm_in_eV"} | {
    *("m_ncdm_tot", "Neff", "Omega_m", "omega_m", "k_eq", "a_eq", "z_eq", "H_eq", "tau_eq")
}
THERMODYNAMICS = {
    *("tau_reio", "z_reio", "z_rec", "tau_rec", "rs_rec", "rs_rec_h", "ds_rec", "ds_rec_h", "ra_rec", "ra_rec_h"),
    *("da_rec", "da_rec_h", "z_star", "tau_star", "rs_star", "ds_star", "ra_star", "da_star", "rd_star", "z_d"),
    *("tau_d", "ds_d", "ds_d_h", "rs_d", "rs_d_h", "conf_time_reio", "100*theta_s", "100*theta_star"),
    *("theta_s_100", "theta_star_100", "YHe", "n_e"),
}
# numbers that are attributes of `classy.Class`, and the level at which the real one has them; "" where it needs more
NUMBERS = {
    **dict.fromkeys(("Omega_nu", "Omega_m", "Omega_r", "Omega_Lambda", "Omega_g", "Omega_b", "omega_b"), "background"),
    **dict.fromkeys(("Omega_k", "Omega_cdm", "Omega_fld", "H0", "h", "age", "z_eq", "k_eq", "Neff"), "background"),
    "T_cmb": "background",
    **dict.fromkeys(("tau_reio", "z_reio", "rs_drag", "theta_s_100", "theta_star_100"), "thermodynamics"),
    **dict.fromkeys(("n_s", "sigma8", "sigma8_cb", "S8"), ""),
}
# method -> our function of redshift
FUNCTIONS = {
    "Hubble": "H",
    "angular_distance": "D_A",
    "luminosity_distance": "D_L",
    "comoving_distance": "comoving_distance",
    "scale_independent_growth_factor": "D",
    "scale_independent_growth_factor_f": "f",
    "Om_m": "Omega_m_z",
    "Om_b": "Omega_b_z",
    "Om_cdm": "Omega_cdm_z",
    "Om_ncdm": "Omega_ncdm_z",
    "ionization_fraction": "x_e",
    "baryon_temperature": "T_b",
}
LEVEL = {"ionization_fraction": "thermodynamics", "baryon_temperature": "thermodynamics"}
# methods of the real CLASS that it answers as it is
PASSED_ON = {
    "angular_distance_from_to": "background",
    "z_of_tau": "background",
    "get_background": "background",
    "get_thermodynamics": "thermodynamics",
}
# CLASS's constants, include/background.h and thermodynamics.h
C, MPC, G, EV = 2.99792458e8, 3.085677581282e22, 6.67428e-11, 1.602176487e-19
CONSTANTS = {
    "c": C,
    "Mpc_to_m": MPC,
    "kg_to_eV": C * C / EV,
    "kg_to_Msol": 1 / 2.0e30,
    "density_factor": 3 * C * C / (8 * pi * G) / (MPC * MPC),
    "kgm3_to_eVMpc3": C * C / EV * MPC**3,
    "kgm3_to_MsolMpc3": MPC**3 / 2.0e30,
}
