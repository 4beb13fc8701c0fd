import { words } from './field-selection.ts';

/**
 * Names of the readable fields of each object in Graph v25.0, so that a misspelt field is an error while a field the
 * simulator has no value for is left out of the answer, as Meta leaves out empty ones.
 */
export const knownFields = {
  Business: words(`
    block_offline_analytics collaborative_ads_managed_partner_business_info
    collaborative_ads_managed_partner_eligibility collaborative_ads_partner_premium_options created_by created_time
    extended_updated_time id is_hidden link marketing_messages_onboarding_status name payment_account_id
    primary_page profile_picture_uri timezone_id two_factor_type updated_by updated_time user_access_expire_time
    verification_status vertical vertical_id whatsapp_business_manager_messaging_limit
  `),
  SystemUser: words(`
    created_by created_time finance_permission id ip_permission name
  `),
  ExtendedCredit: words(`
    allocated_amount balance credit_available credit_type id is_access_revoked is_automated_experience
    legal_entity_name liable_address liable_biz_name max_balance online_max_balance owner_business
    owner_business_name partition_from receiving_credit_allocation_config send_bill_to_address send_bill_to_biz_name
    sold_to_address
  `),
  ExtendedCreditAllocationConfig: words(`
    currency_amount id liability_type owning_business owning_credential partition_type receiving_business
    receiving_credential request_status send_bill_to
  `),
  AdAccount: words(`
    account_id account_status ad_account_promotable_objects age agency_client_declaration all_capabilities
    amount_spent attribution_spec balance brand_safety_content_filter_levels business business_city
    business_country_code business_name business_state business_street business_street2 business_zip
    can_create_brand_lift_study capabilities created_time currency custom_audience_info default_dsa_beneficiary
    default_dsa_payor disable_reason end_advertiser end_advertiser_name existing_customers
    expired_funding_source_details extended_credit_invoice_group failed_delivery_checks fb_entity funding_source
    funding_source_details has_migrated_permissions has_page_authorized_adaccount id io_number
    is_attribution_spec_system_default is_ba_skip_delayed_eligible is_direct_deals_enabled
    is_in_3ds_authorization_enabled_market is_notifications_enabled is_personal is_prepay_account is_tax_id_required
    liable_address line_numbers marketing_messages_settings media_agency min_campaign_group_spend_cap
    min_daily_budget name offsite_clo_signal_status offsite_pixels_tos_accepted opportunity_score owner
    owner_business partner rf_spec send_bill_to_address show_checkout_experience sold_to_address spend_cap tax_id
    tax_id_status tax_id_type timezone_id timezone_name timezone_offset_hours_utc tos_accepted
    user_access_expire_time user_tasks user_tos_accepted viewable_business
  `),
  AdsPixel: words(`
    automatic_matching_fields can_proxy code config creation_time creator data_use_setting description
    duplicate_entries enable_auto_assign_to_accounts enable_automatic_matching event_stats event_time_max
    event_time_min first_party_cookie_status has_1p_pixel_event id is_consolidated_container is_created_by_business
    is_crm is_mta_use is_restricted_use is_unavailable last_fired_time last_upload_app last_upload_app_changed_time
    match_rate_approx matched_entries name owner_ad_account owner_business usage user_access_expire_time
    valid_entries
  `),
  IGUser: words(`
    biography business_discovery followers_count follows_count has_profile_pic id ig_id is_published
    legacy_instagram_user_id media_count mentioned_comment mentioned_media name owner_business profile_picture_url
    shopping_product_tag_eligibility shopping_review_status username website
  `),
  Page: words(`
    about access_token ad_campaign affiliation app_id artists_we_like attire available_promo_offer_ids awards
    band_interests band_members best_page bio birthday booking_agent breaking_news_usage built business can_checkin
    can_post category category_list checkins company_overview connected_instagram_account
    connected_page_backed_instagram_account contact_address copyright_attribution_insights
    copyright_whitelisted_ig_partners country_page_likes cover culinary_team current_location
    delivery_and_pickup_option_info description description_html differently_open_offerings directed_by
    display_subtext displayed_message_response_time does_viewer_have_page_permission_link_ig emails engagement
    fan_count featured_video features followers_count food_styles founded general_info general_manager genre
    global_brand_page_name global_brand_root_id has_added_app has_lead_access
    has_transitioned_to_new_page_experience has_whatsapp_business_number has_whatsapp_number hometown hours id
    impressum influences instagram_business_account is_always_open is_calling_eligible is_chain is_community_page
    is_eligible_for_branded_content is_eligible_for_disable_connect_ig_btn_for_non_page_admin_am_web
    is_messenger_bot_get_started_enabled is_messenger_platform_bot is_owned is_permanently_closed is_published
    is_unclaimed is_verified is_webhooks_subscribed keywords leadgen_tos_acceptance_time leadgen_tos_accepted
    leadgen_tos_accepting_user link location members merchant_id merchant_review_status messaging_feature_status
    messenger_ads_default_icebreakers messenger_ads_default_quick_replies messenger_ads_quick_replies_type
    mini_shop_storefront mission mpg name name_with_location_descriptor network new_like_count offer_eligible
    overall_star_rating owner_business page_token parent_page parking payment_options personal_info
    personal_interests pharma_safety_info phone pickup_options place_type plot_outline preferred_audience
    press_contact price_range priority_hours privacy_info_url produced_by products promotion_eligible
    promotion_ineligible_reason public_transit rating_count recipient record_label release_date restaurant_services
    restaurant_specialties schedule screenplay_by season single_line_address starring start_info store_code
    store_location_descriptor store_number studio supports_donate_button_in_live_video talking_about_count
    temporary_status unread_message_count unread_notif_count unseen_message_count user_access_expire_time username
    verification_status voip_info website were_here_count whatsapp_number written_by
  `),
  ProductCatalog: words(`
    ad_account_to_collaborative_ads_share_settings agency_collaborative_ads_share_settings business catalog_store
    commerce_merchant_settings creator_user da_display_settings default_image_url fallback_image_url feed_count id
    is_catalog_segment is_local_catalog name owner_business product_count store_catalog_settings
    user_access_expire_time vertical
  `),
  ProductSet: words(`
    auto_creation_url filter id latest_metadata live_metadata name ordering_info product_catalog product_count
    retailer_id
  `),
  ProductItem: words(`
    additional_image_cdn_urls additional_image_urls additional_variant_attributes affiliate_seller_rating
    affiliate_seller_rating_count age_group applinks availability base_commission_rate brand bundle_items
    bundle_retailer_ids capabilities_disabled_by_user capability_to_review_status category category_ranking
    category_specific_fields color commerce_insights condition currency custom_data custom_label_0
    custom_label_1 custom_label_2 custom_label_3 custom_label_4 custom_number_0 custom_number_1 custom_number_2
    custom_number_3 custom_number_4 description errors expiration_date fb_product_category gender
    generated_background_images generated_background_images_ad_usage gtin id image_cdn_urls image_fetch_status
    image_url images importer_address importer_name invalidation_errors inventory is_bundle_hero
    live_special_price manufacturer_info manufacturer_part_number marked_for_product_launch material mobile_link
    name ordering_index origin_country overall_ranking parent_product_id pattern
    post_conversion_signal_based_enforcement_appeal_eligibility price product_catalog product_feed product_group
    product_local_info product_relationship product_type quantity_to_sell_on_facebook retailer_id
    retailer_product_group_id review_rejection_reasons review_status rich_text_description sale_price
    sale_price_end_date sale_price_start_date shipping_weight_unit shipping_weight_value short_description size
    start_date status tags url vendor_id video_fetch_status videos visibility wa_compliance_category
  `),
  ExternalEventSource: words(`
    id name source_type
  `),
  AssignedUser: words(`
    business id name user_type
  `),
  OwnedDomain: words(`
    domain_name id owner_business status verification_code
  `),
  BusinessPageRequest: words(`
    id page
  `),
  User: words(`
    about age_range birthday client_business_id community cover currency education email favorite_athletes
    favorite_teams first_name gender hometown id inspirational_people install_type installed is_guest_user
    is_work_account languages last_name link local_news_megaphone_dismiss_status local_news_subscription_status
    locale location meeting_for middle_name name name_format payment_pricepoints political profile_pic quotes
    relationship_status religion shared_login_upgrade_required_by short_name significant_other sports
    supports_donate_button_in_live_video third_party_id timezone token_for_business updated_time verified
    video_upload_limits website
  `),
  AdReportRun: words(`
    account_id async_percent_completion async_report_url async_status date_start date_stop emails error_code
    error_message error_subcode error_user_msg error_user_title friendly_name id is_async_export is_bookmarked
    is_running schedule_id time_completed time_ref
  `),
  Permission: words(`
    permission status
  `),
} as const;
