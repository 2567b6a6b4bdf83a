dist_man_MANS += man/dispatcher.cnf.5
