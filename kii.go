package kii

// Site is the base URL of a Kii Cloud site, without a trailing slash.
type Site string

// The sites of Kii Cloud.
const (
	SiteUS  Site = "https://api.kii.com/api"
	SiteJP  Site = "https://api-jp.kii.com/api"
	SiteSG  Site = "https://api-sg.kii.com/api"
	SiteEU  Site = "https://api-eu.kii.com/api"
	SiteCN3 Site = "https://api-cn3.kii.com/api"
)
