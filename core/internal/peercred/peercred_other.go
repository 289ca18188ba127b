//go:build !linux && !darwin

package peercred

func credentialsOf(int) (credentials, error) { return credentials{}, errUnsupported }

func groupsOf(int) ([]int, error) { return nil, errUnsupported }
