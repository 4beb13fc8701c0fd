project_id        = "kobi-meta-ads"
environment       = "prod"
state_bucket      = "kobi-meta-ads-state"
source_repository = "projects/kobi-meta-ads/locations/europe-west1/connections/github/repositories/kobi-meta-ads"
deployer          = "deployer@kobi-meta-ads.iam.gserviceaccount.com"

domain = "relay.kobi.example"
# A client's own subdomain, once its marketer asked for it: tenant = host name.
tenant_domains = {
  acme = "events.acme.example"
}

# The app that went through App Review.
meta_app_id             = "200000000000001"
meta_parent_business_id = "200000000000002"
meta_login_config_id    = "200000000000003"
meta_extended_credit_id = "200000000000004"

max_instances       = 100
relay_min_instances = 2
canary_functions    = ["capi-relay"]

# One trace in a thousand: enough to see where time goes, and next to nothing in Cloud Trace.
trace_sample_ratio = 0.001

billing_account = "000000-000000-000000"
budget_dollars  = 500

alert_email = "meta-ads-oncall@kobi.example"
operators   = ["group:meta-ads-operators@kobi.example"]
callers = {
  tenant-api = ["serviceAccount:portal@kobi-portal.iam.gserviceaccount.com"]
}
