// Package languages runs the example plugins in Python and JavaScript under hosts
// on both libraries, as processes: what a plugin that is not built on any Go
// library gets from either. What it knows of them other tests can use.
package languages
