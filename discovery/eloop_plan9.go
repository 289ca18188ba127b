package discovery

// eloop does not exist: there are no symbolic links.
var eloop = errLoop
