# The manual pages name the daemon's user.
s/^\(\.BR\{0,1\} \|adduser alice \|SupplementaryGroups=\)dispatcher\( [.,]\|$\)/\1_dispatcher\2/
