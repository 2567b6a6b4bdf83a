dist_man_MANS += man/dispatcher.cnf.5
dist_man_MANS += man/tcp_smtp_server.8
