package names

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

var (
	appPattern     = regexp.MustCompile(`^[a-z][a-z0-9]{1,39}$`)
	servicePattern = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{1,39}$`)
	pluginPattern  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	pythonKeywords = strings.Fields(`and as assert async await break class continue def del elif else except
		finally for from global if import in is lambda nonlocal not or pass raise return try while with yield
		false none true`)
	// Go gives folders and files of these names another meaning.
	reserved = strings.Fields(`main internal vendor testdata init test`)
)

// Check returns all reasons against these names for a repository.
func (a Answers) Check() error {
	err := errors.Join(CheckModule(a.Module), CheckApp(a.App), CheckService(a.Service))
	if err == nil && slices.Contains(a.forms()[3:], a.App) {
		err = fmt.Errorf("app %q and service %q have the same name in code: choose another name for one of them", a.App, a.Service)
	}
	return err
}

// CheckModule returns the reason why path is not a module path.
func CheckModule(path string) error {
	if err := module.CheckPath(path); err != nil {
		return fmt.Errorf("%w: a module path is the address of its repository, such as github.com/acme/acme-plugin-sdk", err)
	}
	return nil
}

// CheckNewModule is CheckModule for a module without releases.
func CheckNewModule(path string) error {
	if _, major, _ := module.SplitPathVersion(path); strings.HasPrefix(major, "/v") {
		return fmt.Errorf("module path %q: a new module begins at version 0 or 1, so its path does not end in %s", path, major)
	}
	return CheckModule(path)
}

// CheckApp returns the reason why name is not valid for an application.
func CheckApp(name string) error {
	if !appPattern.MatchString(name) {
		return fmt.Errorf("app %q: choose 2 to 40 lower-case letters and digits, a letter first: it names a Go package, a proto package and a program", name)
	}
	if slices.Contains(reserved, name) {
		return fmt.Errorf("app %q: a package or a file cannot have this name: choose another name", name)
	}
	return errors.Join(checkFile("app", name, name), checkWord("app", name, name))
}

// CheckService returns the reason why name is not valid for a service.
func CheckService(name string) error {
	if !servicePattern.MatchString(name) {
		return fmt.Errorf("service %q: choose 2 to 40 letters and digits, a capital letter first, such as Notifier: it names a Go interface and a proto service", name)
	}
	for _, form := range (Answers{App: "x", Service: name}).forms()[3:9] {
		if err := checkWord("service", name, form); err != nil {
			return err
		}
		if err := checkFile("service", name, form); err != nil {
			return err
		}
	}
	return nil
}

// CheckPlugin returns the reason why name is not valid for a plugin.
func CheckPlugin(name string) error {
	if len(name) > 40 || !pluginPattern.MatchString(name) {
		return fmt.Errorf("plugin %q: choose up to 40 lower-case letters, digits and single dashes, a letter first, such as slack or disk-cache", name)
	}
	return nil
}

// checkFile refuses names of devices on Windows: a module's zip cannot contain them.
func checkFile(kind, name, form string) error {
	if module.CheckFilePath(form) != nil {
		return fmt.Errorf("%s %q: on Windows a file cannot have the name %s: choose another name", kind, name, form)
	}
	return nil
}

func checkWord(kind, name, form string) error {
	var language string
	switch {
	case token.IsKeyword(form):
		language = "a keyword of Go"
	case types.Universe.Lookup(form) != nil:
		language = "predeclared in Go"
	case slices.Contains(pythonKeywords, strings.ToLower(form)):
		language = "a keyword of Python"
	default:
		return nil
	}
	return fmt.Errorf("%s %q: %s is %s: choose another name", kind, name, form, language)
}
