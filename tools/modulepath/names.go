package main

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"golang.org/x/mod/module"
)

// checkPath fails if the repository cannot move from the path old to the path to. folders
// are the folders of its modules.
func checkPath(to, old string, folders []string) error {
	if to == "" {
		return errors.New("no module path is given: make module-path MODULE=example.org/acme/panel")
	}
	if to == old {
		return fmt.Errorf("%s is the module path already", to)
	}
	// gopkg.in puts the version before the folder, so it has no place for modules in
	// folders.
	if _, major, _ := module.SplitPathVersion(to); major != "" {
		return fmt.Errorf("the path %s ends in a major version: leave it out; a module's version follows its folder, as in example.org/acme/panel/core/v2", to)
	}
	if err := module.CheckPath(to); err != nil {
		return err
	}
	for _, folder := range folders {
		if err := module.CheckPath(to + "/" + folder); err != nil {
			return err
		}
	}
	return nil
}

// bufModuleName matches a name on buf's registry, with or without the registry. The limits
// are the registry's.
var bufModuleName = regexp.MustCompile(`^(?:[a-z0-9.-]+/)?[a-z][a-z0-9-]{0,30}[a-z0-9]/[a-z][a-z0-9-]{0,98}[a-z0-9]$`)

// newBufModule returns the name on buf's registry for a module path: the wanted name, or
// the path's last two elements. A name without a registry stays on the old registry.
func newBufModule(old, to, wanted string) (string, error) {
	name, source := wanted, "BUF_MODULE"
	if name == "" {
		name, source = strings.ToLower(ownerAndName(to)), "the end of the module path"
	}
	if !bufModuleName.MatchString(name) {
		return "", fmt.Errorf("%s: %q is not a module name on buf's registry: set BUF_MODULE=owner/name (lower-case letters, digits and hyphens)", source, name)
	}
	if strings.Count(name, "/") == 1 {
		registry, _, _ := strings.Cut(old, "/")
		name = registry + "/" + name
	}
	return name, nil
}

// ownerAndName returns the last two elements of a path.
func ownerAndName(of string) string {
	return path.Join(path.Base(path.Dir(of)), path.Base(of))
}
