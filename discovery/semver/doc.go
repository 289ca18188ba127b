// Package semver holds semantic versions (semver.org, 2.0.0) and constraints on
// them, as the rest of discovery uses them.
//
// A [Version] is exact: three numbers, perhaps a pre-release, perhaps build
// metadata. A [Constraint] is written as the configuration files of Terraform,
// Packer and Nomad write it, and means the same:
//
//	>= 1.2, < 2     all terms must hold
//	~> 1.4          from 1.4 on, below 2
//	~> 1.4.2        from 1.4.2 on, below 1.5
//	1.4             exactly 1.4.0
//	!= 1.4.3        any but that
//
// Pre-releases are chosen only when they are asked for: by the constraint, which
// names one, or by [Constraint.WithPrereleases].
//
// Validity and precedence are those of golang.org/x/mod/semver, which does not show
// in the API. Constraints are evaluated here, since no library means by them what
// those configuration files do: for Masterminds/semver "~> 1.4" ends below 1.5 and
// "1.4" is any 1.4.x. hashicorp/go-version has the notation, but orders
// 1.0.0-alpha above 1.0.0-alpha.beta, and lets "!= 1.4.3" allow pre-releases.
package semver
