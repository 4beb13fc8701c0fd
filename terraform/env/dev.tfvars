project_id        = "kobi-meta-ads-dev"
environment       = "dev"
state_bucket      = "kobi-meta-ads-dev-state"
source_repository = "projects/kobi-meta-ads-dev/locations/europe-west1/connections/github/repositories/kobi-meta-ads"
deployer          = "deployer@kobi-meta-ads-dev.iam.gserviceaccount.com"

domain         = "relay.dev.kobi.example"
tenant_domains = {}

# Ids of the Meta app in Development mode.
meta_app_id             = "100000000000001"
meta_parent_business_id = "100000000000002"
meta_login_config_id    = "100000000000003"
meta_extended_credit_id = "100000000000004"

log_level     = "debug"
max_instances = 5

trace_sample_ratio = 1

alert_email = "meta-ads-dev@kobi.example"
operators   = ["group:meta-ads-operators@kobi.example"]
callers = {
  tenant-api = ["serviceAccount:portal@kobi-portal-dev.iam.gserviceaccount.com"]
}
