package discovery

// Origin says how a file came to be looked at.
type Origin string

// The origins, in the order in which they are searched. An application that adds
// directories may have further ones.
const (
	// OriginExplicit is a path that a person named for this run.
	OriginExplicit Origin = "explicit"
	// OriginDevelopment is a development override: a path in a configuration,
	// for the time being. Each use is logged as a warning.
	OriginDevelopment Origin = "development"
	// OriginEnvironment is a directory in the variable <APP>_PLUGIN_PATH.
	OriginEnvironment Origin = "environment"
	// OriginProject is the project's directory.
	OriginProject Origin = "project"
	// OriginUser is the user's directory.
	OriginUser Origin = "user"
	// OriginSystem is a directory of the system.
	OriginSystem Origin = "system"
	// OriginPath is a directory in PATH.
	OriginPath Origin = "path"
)

// overrides tells whether a plugin of this origin is taken without a choice.
func (o Origin) overrides() bool { return o == OriginExplicit || o == OriginDevelopment }
