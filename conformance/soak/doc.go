// Package soak keeps supervised plugins under load while their processes are killed, stopped and
// replaced at random, and launches plugins by the thousand. The tests run for a short time;
// JACKFIELD_SOAK is another for the first, as in 10m, for which `make soak` runs them.
package soak
