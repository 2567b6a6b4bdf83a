# dispatcher.cnf as delivered by the package: its service is commented out.
/^! Mail\. /i\
! No service is active. To begin, remove the "!" at the start of the four lines at the end, and run\
!     systemctl enable dispatcherd\
!     dispatcherctl apply\
!
/^\[SERVICE=SMTP\]/,$s/^/!/
